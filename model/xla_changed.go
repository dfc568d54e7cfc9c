//go:build laurelxla

package model

import (
	"maps"

	"github.com/gomlx/go-xla/pjrt"

	"laurel/model/hostkernels"
)

// ChangedXLA tells whether go-xla is the copy with laurel's changes, which
// cmd/setup makes and asks for with this tag (docs/upstream.md).
const ChangedXLA = true

// What XLA's CPU may call.
func init() { maps.Copy(pjrt.HostHandlers, hostkernels.Handlers()) }
