//go:build laurelxla

package model

// ChangedXLA tells whether go-xla is the copy with laurel's changes, which
// cmd/setup makes and asks for with this tag (docs/upstream.md).
const ChangedXLA = true
