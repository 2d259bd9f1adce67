package live

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// aRoll has supervisors of three services among five children.
func aRoll() roll {
	return roll{
		namespace: "pid:[4026531836]", svscan: process{pid: 7, start: 100}, last: process{pid: 50, start: 300},
		children: []child{{10, 16}, {20, 0}, {40, 18}, {30, 17}, {50, 19}},
	}
}

func TestRollHere(t *testing.T) {
	for _, c := range []struct {
		name string
		pids []int
		want []Slot
	}{
		{"all", []int{10, 20, 40, 30, 50}, []Slot{16, 0, 18, 17, 19}},
		{"some came later", []int{10, 20, 40, 30, 50, 60, 5}, []Slot{16, 0, 18, 17, 19}},
		{"some are dead", []int{20, 40, 50}, []Slot{0, 18, 19}},
		{"a dead one's pid came again", []int{10, 20, 30, 50, 40}, []Slot{16, 0, 17, 19}},
		{"only the last", []int{50}, []Slot{19}},
		{"the last is dead", []int{10, 20, 40, 30}, nil},
		{"the last is dead, others came", []int{10, 20, 40, 30, 60}, nil},
		{"one came before the last", []int{10, 60, 50}, nil},
		{"in another order", []int{20, 10, 50}, nil},
		{"twice", []int{10, 10, 50}, nil},
		{"nobody", nil, nil},
	} {
		r := aRoll()
		var got []Slot
		for _, h := range r.here(c.pids) {
			got = append(got, h.slot)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
}

func TestRollText(t *testing.T) {
	want := aRoll()
	text := want.text()
	got, ok := parseRoll(text)
	if d := cmp.Diff(want, got, cmp.AllowUnexported(roll{}, process{}, child{})); !ok || d != "" {
		t.Errorf("%v (-want +got):\n%s", ok, d)
	}
	for i := range text {
		for _, bit := range []byte{1, 0x10, 0x80} {
			flipped := slices.Clone(text)
			flipped[i] ^= bit
			if _, ok := parseRoll(flipped); ok {
				t.Errorf("taken with byte %d as %q", i, flipped[i])
			}
		}
		if _, ok := parseRoll(text[:i]); ok {
			t.Errorf("taken when cut at %d", i)
		}
	}
}

func FuzzParseRoll(f *testing.F) {
	r := aRoll()
	f.Add(r.text()[len(supervisorsFormat)+len(" 01234567\n"):])
	f.Add([]byte("x 1 2 3\n4 5\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		if _, ok := parseRoll(body); ok {
			t.Error("taken without a checksum")
		}
		r, ok := parseRoll(withRollSum(body))
		if !ok {
			return
		}
		again, ok := parseRoll(r.text())
		if d := cmp.Diff(r, again, cmp.AllowUnexported(roll{}, process{}, child{})); !ok || d != "" {
			t.Errorf("%v:\n%s", ok, d)
		}
		p := new(presence)
		p.reach(Slot(len(body)))
		for _, c := range r.here([]int{r.children[0].pid, r.last.pid}) {
			p.reach(c.slot + 1)
		}
		if len(p.pids) > max(presenceLimit, len(body)) {
			t.Errorf("room for %d", len(p.pids))
		}
	})
}
