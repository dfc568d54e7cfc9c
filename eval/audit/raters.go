package audit

import (
	"laurel/labels"
)

// RaterPair is how two raters agree on the comparisons that both rated.
type RaterPair struct {
	A   string `json:"a"`
	B   string `json:"b"`
	All Kappa  `json:"kappa"`         // over a, b and neither
	One Kappa  `json:"kappa_decided"` // where both name a side
}

// Raters is the agreement of judges with one another, with gold and with the
// other judge of the gold file.
type Raters struct {
	Pairs []RaterPair `json:"pairs"`
	// Judges is Fleiss' κ of all judges, over the comparisons that all of them
	// rated; null with fewer than two.
	Judges *Kappa `json:"judges_fleiss"`
	// People is Fleiss' κ of the people whose votes the gold counts, over the
	// comparisons with PeopleVotes votes, the most frequent number; null where
	// none counts two or more.
	People      *Kappa `json:"people_fleiss"`
	PeopleVotes int    `json:"people_votes"`
}

// Names of the raters that are no judge.
const (
	goldRater = "gold"
	aiRater   = "gold file's AI label"
)

// raterCount gathers ratings, one comparison after another.
type raterCount struct {
	names  []string // in order of appearance
	tables map[[2]string]*rated
	judges map[int]*votes // by number of judges
	people map[int]*votes // by number of votes
}

func newRaterCount() *raterCount {
	return &raterCount{tables: map[[2]string]*rated{}, judges: map[int]*votes{}, people: map[int]*votes{}}
}

// Rating is what one rater says of a comparison.
type Rating struct {
	Rater string
	Side  labels.Side
}

func (c *raterCount) add(prompt int32, l *labels.Label, gold *labels.Gold) {
	said := judgesSay(l.Votes)
	var all ratings
	for _, r := range said {
		all[category(r.Side)]++
	}
	countRatings(c.judges, prompt, all)
	if gold != nil {
		said = append(said, Rating{goldRater, gold.Side})
		if gold.HasAI {
			said = append(said, Rating{aiRater, gold.AI})
		}
		countRatings(c.people, prompt, gold.Votes)
	}
	c.compare(prompt, said)
}

// compare counts what each two of the raters of a comparison say.
func (c *raterCount) compare(prompt int32, said []Rating) {
	for i, a := range said {
		for _, b := range said[i+1:] {
			c.table(a.Rater, b.Rater).add(prompt, cellOf(category(a.Side), category(b.Side)))
		}
	}
}

func countRatings(by map[int]*votes, prompt int32, r ratings) {
	if n := r.raters(); n >= 2 {
		if by[n] == nil {
			by[n] = &votes{}
		}
		by[n].prompt, by[n].of = append(by[n].prompt, prompt), append(by[n].of, r)
	}
}

func (c *raterCount) table(a, b string) *rated {
	key := [2]string{a, b}
	if c.tables[key] == nil {
		c.tables[key] = &rated{}
		c.names = append(c.names, a, b)
	}
	return c.tables[key]
}

// judgesSay is each judge's own verdict: the side of more weight among its
// votes. A judge none of whose replies could be read says nothing.
func judgesSay(votes []labels.Vote) (said []Rating) {
	type sum struct {
		a, b float64
		read bool
	}
	sums := map[string]*sum{}
	var order []string
	for _, v := range votes {
		s := sums[v.Judge]
		if s == nil {
			s = &sum{}
			sums[v.Judge] = s
			order = append(order, v.Judge)
		}
		s.read = s.read || v.Side != labels.Neither || v.Reason != labels.AbstainUnparseable && v.Reason != labels.AbstainFailed
		switch v.Side {
		case labels.SideA:
			s.a += v.Weight
		case labels.SideB:
			s.b += v.Weight
		}
	}
	for _, judge := range order {
		switch s := sums[judge]; {
		case !s.read:
		case s.a > s.b:
			said = append(said, Rating{judge, labels.SideA})
		case s.b > s.a:
			said = append(said, Rating{judge, labels.SideB})
		default:
			said = append(said, Rating{judge, labels.Neither})
		}
	}
	return said
}

func (c *raterCount) report(cfg Config) Raters {
	out := Raters{Pairs: c.pairs(cfg)}
	judges := 0
	for n := range c.judges {
		judges = max(judges, n)
	}
	if judges > 0 {
		k := fleiss(c.judges[judges], cfg.Bootstrap, cfg.Seed)
		out.Judges = &k
	}
	most := 0
	for n, asked := range c.people {
		if total := len(asked.of); total > most || total == most && n > out.PeopleVotes {
			most, out.PeopleVotes = total, n
		}
	}
	if most > 0 {
		k := fleiss(c.people[out.PeopleVotes], cfg.Bootstrap, cfg.Seed)
		out.People = &k
	}
	return out
}

// pairs are the raters two by two, in order of appearance.
func (c *raterCount) pairs(cfg Config) []RaterPair {
	pairs := []RaterPair{}
	for i := 0; i < len(c.names); i += 2 {
		a, b := c.names[i], c.names[i+1]
		t := c.tables[[2]string{a, b}]
		pairs = append(pairs, RaterPair{a, b, cohen(t, cfg.Bootstrap, cfg.Seed), cohen(t.decided(), cfg.Bootstrap, cfg.Seed)})
	}
	return pairs
}
