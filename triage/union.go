package triage

// union joins numbers into sets (Tarjan 1975), and remembers of each whether it
// stands as its set's root does or the other way round.
type union struct {
	parent []int32
	turned []bool // against the parent
}

func newUnion(n int) *union {
	u := &union{make([]int32, n), make([]bool, n)}
	for i := range u.parent {
		u.parent[i] = int32(i)
	}
	return u
}

// root is the set's, and whether i stands the other way round.
func (u *union) root(i int32) (root int32, turned bool) {
	for root = i; u.parent[root] != root; root = u.parent[root] {
		turned = turned != u.turned[root]
	}
	for at, left := i, turned; u.parent[at] != root && at != root; { // what lies on the way points to the root now
		next, was := u.parent[at], u.turned[at]
		u.parent[at], u.turned[at] = root, left
		at, left = next, left != was
	}
	return root, turned
}

// join makes one set of two, in which i and j stand turned to one another or not.
func (u *union) join(i, j int32, turned bool) {
	a, ta := u.root(i)
	b, tb := u.root(j)
	if a == b {
		return
	}
	if b < a {
		a, b = b, a
	}
	u.parent[b], u.turned[b] = a, (ta != tb) != turned
}

func (u *union) same(i, j int32) bool {
	a, _ := u.root(i)
	b, _ := u.root(j)
	return a == b
}

// sets are those of two members or more, each in ascending order, by their first.
func (u *union) sets() (out [][]int32) {
	number := map[int32]int{}
	count := make([]int32, len(u.parent))
	for i := range u.parent {
		root, _ := u.root(int32(i))
		count[root]++
	}
	for i := range u.parent {
		root, _ := u.root(int32(i))
		if count[root] < 2 {
			continue
		}
		at, known := number[root]
		if !known {
			at = len(out)
			number[root] = at
			out = append(out, nil)
		}
		out[at] = append(out[at], int32(i))
	}
	return out
}
