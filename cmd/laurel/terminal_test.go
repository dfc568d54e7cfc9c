package main

import (
	"bytes"
	"encoding/json"
	"testing"
)

func TestVisible(t *testing.T) {
	var out bytes.Buffer
	text := "a\tb\n\x1b[2J\r\x07é\u009b\x7f\xff日\n"
	if n, err := (visible{&out}).Write([]byte(text)); n != len(text) || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if want := "a\tb\n" + `\x1b[2J\x0d\x07é\u009b\u007f` + "\xff日\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

// TestVisibleJSON: what is printed as JSON shows no control character, and is
// the JSON of the same value.
func TestVisibleJSON(t *testing.T) {
	var out bytes.Buffer
	var text []rune
	for r := range rune(0x100) {
		text = append(text, r, '\\')
	}
	if err := printJSON(visible{&out}, string(text)); err != nil {
		t.Fatal(err)
	}
	var read string
	if err := json.Unmarshal(out.Bytes(), &read); err != nil || read != string(text) {
		t.Errorf("%v: %q", err, out.String())
	}
	if bytes.ContainsAny(out.Bytes(), "\x1b\x7f\u0085\u009b") {
		t.Errorf("%q", out.String())
	}
}
