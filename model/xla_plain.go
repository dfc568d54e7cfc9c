//go:build !laurelxla

package model

// changedXLA tells whether go-xla is the copy with laurel's changes.
const changedXLA = false
