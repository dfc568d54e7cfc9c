// Package errortest holds errors to what they must say.
package errortest

import (
	"strings"
	"testing"
)

// Want fails the test where there is no error, or where one of the parts is not
// in it.
func Want(t testing.TB, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want one with %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q lacks %q", err, part)
		}
	}
}
