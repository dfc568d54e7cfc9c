//go:build !laurelxla

package model

// ChangedXLA tells whether go-xla is the copy with laurel's changes.
const ChangedXLA = false
