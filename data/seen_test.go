package data

import (
	"iter"
	"testing"
)

func TestSeen(t *testing.T) {
	pair := func(prompt, chosen, rejected string) Pair {
		return Pair{Prompt: Text{Plain: prompt}, Chosen: Text{Plain: chosen}, Rejected: Text{Plain: rejected}}
	}
	of := func(pairs ...Pair) iter.Seq2[Pair, error] {
		return func(yield func(Pair, error) bool) {
			for _, p := range pairs {
				if !yield(p, nil) {
					return
				}
			}
		}
	}
	read := func(pairs iter.Seq2[Pair, error]) (n int) {
		for range pairs {
			n++
		}
		return n
	}
	chat := Pair{Prompt: Text{Messages: []Message{{Role: "user", Content: "p"}}}, Chosen: Text{Messages: []Message{{Role: "assistant", Content: "a"}}},
		Rejected: Text{Messages: []Message{{Role: "assistant", Content: "b"}}}}
	var s Seen
	first := []Pair{
		pair("p", "a", "b"), pair("p", "B", " a "), pair("p", "a", "c"), pair("q", "a", "b"), pair("", "a", "b"), pair(" ", "x", "y"), chat, pair("p a", "b", "x"),
	}
	if n := read(s.First(of(first...))); n != len(first) {
		t.Fatal(n)
	}
	if n := read(s.Second(of(pair("P ", "a", "b"), pair("", "b", "a"), pair("", "z", "z2"), chat, pair("p", "a b", "x")))); n != 5 {
		t.Fatal(n)
	}
	for place, want := range [][2]bool{{true, true}, {true, true}, {false, true}, {false, false}, {true, false}, {false, false}, {true, true}, {false, false}, {false, false}} {
		if inPair, inPrompt := s.At(place); inPair != want[0] || inPrompt != want[1] {
			t.Errorf("%d: %v, %v; want %v", place, inPair, inPrompt, want)
		}
	}
}
