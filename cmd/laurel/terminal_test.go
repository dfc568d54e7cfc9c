package main

import (
	"bytes"
	"testing"
)

func TestVisible(t *testing.T) {
	var out bytes.Buffer
	text := "a\tb\n\x1b[2J\r\x07é\u009b\x7f\xff日\n"
	if n, err := (visible{&out}).Write([]byte(text)); n != len(text) || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if want := "a\tb\n" + `\x1b[2J\x0d\x07é\x9b\x7f` + "\xff日\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}
