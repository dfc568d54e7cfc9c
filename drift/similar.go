// Package drift compares two sets of prompts and responses, such as the pairs that a
// reward model learnt from and the rollouts of a policy that it scores: which
// prompts are like none that it has seen, and how lengths, layouts and rewards
// differ.
package drift

import (
	"math"
	"slices"
	"strings"
	"unicode"
)

// words are the runs of letters and digits of a text in lower case; a character of
// a script without spaces is one by itself.
func words(text string) (out []string) {
	begun := -1
	text = strings.ToLower(text)
	end := func(at int) {
		if begun >= 0 {
			out = append(out, text[begun:at])
		}
		begun = -1
	}
	for i, c := range text {
		switch {
		case unicode.In(c, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai):
			end(i)
			out = append(out, string(c))
		case unicode.IsLetter(c) || unicode.IsDigit(c) || unicode.IsMark(c):
			if begun < 0 {
				begun = i
			}
		default:
			end(i)
		}
	}
	end(len(text))
	return out
}

// terms are a text's words and pairs of neighbouring words, each once.
func terms(text string) []string {
	all := words(text)
	for i := range len(all) - 1 {
		all = append(all, all[i]+" "+all[i+1])
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// index finds the most similar of a set of texts: the cosine of vectors that have
// each term's idf, log((1+N)/(1+df)) + 1, where the text has it.
type index struct {
	n     int
	where map[string][]int32 // texts that have a term
	norm  []float64          // [n]
}

func newIndex(texts []string) *index {
	x := &index{n: len(texts), where: map[string][]int32{}, norm: make([]float64, len(texts))}
	for i, text := range texts {
		for _, term := range terms(text) {
			x.where[term] = append(x.where[term], int32(i))
		}
	}
	for _, of := range x.where {
		square := x.idf(len(of)) * x.idf(len(of))
		for _, i := range of {
			x.norm[i] += square
		}
	}
	for i := range x.norm {
		x.norm[i] = math.Sqrt(x.norm[i])
	}
	return x
}

func (x *index) idf(df int) float64 { return math.Log(float64(1+x.n)/float64(1+df)) + 1 }

// nearest is the most similar text but for the one numbered except (-1: none), and
// its cosine; -1 and 0 where none has a term of it.
func (x *index) nearest(text string, except int) (at int, cosine float64) {
	dot := make([]float64, x.n)
	square := 0.0
	for _, term := range terms(text) {
		weight := x.idf(len(x.where[term]))
		square += weight * weight
		for _, i := range x.where[term] {
			dot[i] += weight * weight
		}
	}
	at = -1
	for i, d := range dot {
		if i == except || d == 0 {
			continue
		}
		if c := d / x.norm[i] / math.Sqrt(square); at < 0 || c > cosine {
			at, cosine = i, c
		}
	}
	return at, math.Min(cosine, 1)
}
