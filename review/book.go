package review

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"laurel/labels"
)

// Book is the comparisons with what people have made of them. It is safe for
// concurrent use.
type Book struct {
	// Repaired says what opening the file of answers had to mend; empty where
	// nothing.
	Repaired string

	seed   uint64
	sheets []sheet
	byID   map[string]int
	others []Answer          // of files that are only read, as they stand
	absent map[string]string // whose answers are in one of these: its path

	mu     sync.Mutex // of all below
	file   *answerFile
	people map[string]*person
}

// person is an annotator's work.
type person struct {
	order  []int          // of sheets
	number map[int]int    // place of a sheet in it, from 1
	said   map[int]Answer // by sheet, the last version
	done   []int          // sheets answered or skipped, in order of time
	lines  int
}

// Config says what a Book holds.
type Config struct {
	Out    string   // the file of answers
	Others []string // further files of answers, which only agreement reads
	Seed   uint64   // of the orders, and of which response is on the left
}

// Open makes a book of comparisons and the answers that the file holds.
func Open(rows []labels.Review, cfg Config) (*Book, error) {
	b := &Book{seed: cfg.Seed, byID: map[string]int{}, people: map[string]*person{}, absent: map[string]string{}}
	for i, row := range rows {
		b.sheets = append(b.sheets, newSheet(row))
		b.byID[row.ID] = i
	}
	for _, path := range cfg.Others {
		if err := b.readOther(path); err != nil {
			return nil, err
		}
	}
	file, err := openAnswers(cfg.Out, b.take)
	if err != nil {
		return nil, err
	}
	b.file, b.Repaired = file, file.repaired
	return b, nil
}

// Close closes the file of answers.
func (b *Book) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.file.close()
}

// readOther reads another file of answers. A last line without its end is left to
// its writer.
func (b *Book) readOther(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("answers: %w", err)
	}
	defer file.Close()
	last := map[[2]string]Answer{}
	_, _, err = readAnswers(file, func(a Answer) error {
		last[[2]string{a.Annotator, a.ID}] = a
		b.absent[a.Annotator] = path
		return b.known(a)
	})
	if err != nil {
		return fmt.Errorf("answers %s: %w", path, err)
	}
	for _, key := range slices.SortedFunc(maps.Keys(last), func(x, y [2]string) int { return slices.Compare(x[:], y[:]) }) {
		b.others = append(b.others, last[key])
	}
	return nil
}

// known refuses an answer about what the comparisons are not.
func (b *Book) known(a Answer) error {
	i, known := b.byID[a.ID]
	switch {
	case !known:
		return fmt.Errorf("the answer is about %q, which is not in --data: are these answers to another file?", a.ID)
	case b.sheets[i].texts != a.Texts:
		return fmt.Errorf("the answer about %q is about other texts than those of --data: was the file written anew? Name another --out", a.ID)
	}
	return nil
}

// elsewhere refuses a name whose answers are in another file: laurel merge would
// refuse the second answer about a comparison.
func (b *Book) elsewhere(annotator string) error {
	if path, there := b.absent[annotator]; there {
		return fmt.Errorf("%q has answers in %s: take another name, or go on in that file", annotator, path)
	}
	return nil
}

// take enters a line of the file of answers.
func (b *Book) take(a Answer) error {
	if err := b.known(a); err != nil {
		return err
	}
	if err := b.elsewhere(a.Annotator); err != nil {
		return err
	}
	p, i := b.person(a.Annotator), b.byID[a.ID]
	if want := p.said[i].Version + 1; a.Version != want {
		return fmt.Errorf("%q has version %d of the answer about %q where %d comes next: restore the file from a copy, or name another --out", a.Annotator, a.Version, a.ID, want)
	}
	p.said[i] = a
	p.done = slices.DeleteFunc(p.done, func(done int) bool { return done == i })
	if a.Did != TakenBack {
		p.done = append(p.done, i)
	}
	p.lines++
	return nil
}

// person is an annotator's work, begun where there is none.
func (b *Book) person(name string) *person {
	p := b.people[name]
	if p == nil {
		p = &person{order: orderFor(b.sheets, b.seed, name), number: map[int]int{}, said: map[int]Answer{}}
		for place, i := range p.order {
			p.number[i] = place + 1
		}
		b.people[name] = p
	}
	return p
}

// longestName of an annotator, in characters.
const longestName = 60

// CheckName refuses what cannot name an annotator in labels.
func CheckName(name string) error {
	switch {
	case strings.TrimSpace(name) != name || name == "":
		return errors.New("a name is needed, without white space around it")
	case utf8.RuneCountInString(name) > longestName:
		return fmt.Errorf("the name is longer than %d characters", longestName)
	case strings.ContainsRune(name, '+') || strings.ContainsFunc(name, func(c rune) bool { return !unicode.IsPrint(c) }):
		return errors.New("the name has a +, which joins names in labels, or a character that cannot be printed")
	}
	return nil
}

// errConflict is that another page has said something about a comparison
// meanwhile.
var errConflict = errors.New("another page of yours has answered this meanwhile")

// entry is what an annotator says on a page.
type entry struct {
	Annotator string `json:"annotator"`
	Item      int    `json:"item"`
	Version   int    `json:"version"` // that the page has seen
	Choice    string `json:"choice"`  // left, right, tie or skip
	Note      string `json:"note"`
}

// errRefused is an entry that cannot be kept.
type errRefused struct{ error }

// answer keeps what an annotator says. The same entry sent again is kept once.
func (b *Book) answer(e entry) error {
	if err := CheckName(e.Annotator); err != nil {
		return errRefused{err}
	}
	if e.Item < 0 || e.Item >= len(b.sheets) {
		return errRefused{fmt.Errorf("there is no comparison %d", e.Item)}
	}
	if err := b.elsewhere(e.Annotator); err != nil {
		return errRefused{err}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	p, sheet := b.person(e.Annotator), &b.sheets[e.Item]
	left := leftFor(sheet, b.seed, e.Annotator)
	a := Answer{ID: sheet.id, Annotator: e.Annotator, Version: e.Version + 1, Did: Answered, Note: strings.TrimSpace(e.Note), Left: left, Texts: sheet.texts}
	switch e.Choice {
	case "left":
		a.Side = left
	case "right":
		a.Side = other(left)
	case "tie":
	case "skip":
		a.Did = Skipped
	default:
		return errRefused{fmt.Errorf("the choice is %q, want left, right, tie or skip", e.Choice)}
	}
	if sheet.identical && a.Side != labels.Neither {
		return errRefused{errors.New("the responses are the same: call it a tie, or skip it")}
	}
	if strings.ContainsRune(a.Note, 0) {
		return errRefused{errors.New("the comment has a NUL character, which files of labels cannot hold")}
	}
	if said := p.said[e.Item]; said.Version != e.Version {
		if said.Version == a.Version && said.Did == a.Did && said.Side == a.Side && said.Note == a.Note {
			return nil // it was kept, and the page was not told
		}
		return errConflict
	}
	return b.keep(a)
}

// undo takes back the last thing that an annotator said, which is the version that
// the page has seen if no other page has said more.
func (b *Book) undo(annotator string, lines int) (item int, err error) {
	if err := CheckName(annotator); err != nil {
		return 0, errRefused{err}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.person(annotator)
	if len(p.done) == 0 {
		return 0, errRefused{errors.New("there is nothing to take back")}
	}
	if p.lines != lines {
		return 0, errConflict
	}
	item = p.done[len(p.done)-1]
	a := p.said[item]
	a.Version, a.Did, a.Side = a.Version+1, TakenBack, labels.Neither
	return item, b.keep(a)
}

// keep brings an answer to disk, and then enters it.
func (b *Book) keep(a Answer) error {
	a.At = time.Now().UTC().Truncate(time.Millisecond)
	if err := b.file.add(a); err != nil {
		return err
	}
	return b.take(a)
}
