package update

import (
	"fmt"
	"maps"
	"slices"

	"pgregory.net/rapid"

	"strata/compile/db"
)

// drawSpecs makes a random set of services: needs and wants lead to lower numbers.
func drawSpecs(t *rapid.T, label string) specs { return drawFew(t, label, 8) }

// drawFew makes at most so many.
func drawFew(t *rapid.T, label string, most int) specs {
	n := rapid.IntRange(1, most).Draw(t, label+" services")
	s := specs{}
	for i := range n {
		// A name has the same place in the order of both databases, so that no
		// cycle comes about, but not every name is in both.
		if rapid.IntRange(0, 4).Draw(t, label+" skip") == 0 {
			continue
		}
		sp := spec{Type: rapid.SampledFrom([]string{"longrun", "longrun", "oneshot"}).Draw(t, label+" type")}
		sp.Run = rapid.SampledFrom([]string{"", "", "", "# new"}).Draw(t, label+" run")
		sp.Essential = rapid.IntRange(0, 5).Draw(t, label+" essential") == 0
		sp.Finish = rapid.SampledFrom([]string{"", "", "", "# finish"}).Draw(t, label+" finish")
		sp.OnChange = rapid.SampledFrom([]db.OnChange{0, 0, 0, db.Restart, db.Reload, db.Keep}).Draw(t, label+" on-change")
		for j := range i {
			to := fmt.Sprintf("s%d", j)
			if _, ok := s[to]; !ok {
				continue
			}
			switch rapid.IntRange(0, 5).Draw(t, label+" edge") {
			case 0, 1:
				sp.Deps = append(sp.Deps, to)
			case 2:
				sp.Wants = append(sp.Wants, to)
			case 3:
				if sp.Type == "longrun" && s[to].Type == "longrun" && sp.Feeds == "" {
					sp.Feeds = to
				}
			}
		}
		if p := rapid.SampledFrom([]string{"", "p", "q"}).Draw(t, label+" provides"); p != "" && s.provider(p) == "" {
			sp.Provides = []string{p}
		} else if p != "" && rapid.Bool().Draw(t, label+" through") {
			sp.Deps = append(sp.Deps, p)
		} else if p != "" {
			sp.Wants = append(sp.Wants, p)
		}
		s[fmt.Sprintf("s%d", i)] = sp
	}
	// Sometimes a name of the other database is that of a provider or a bundle.
	if name := fmt.Sprintf("s%d", n); n > 2 && rapid.IntRange(0, 3).Draw(t, label+" more") == 0 {
		if p := s.provider("p"); p != "" {
			sp := s[p]
			sp.Provides = append(sp.Provides, name)
			s[p] = sp
		} else if contents := slices.Sorted(maps.Keys(s)); len(contents) > 0 {
			s[name] = spec{Type: "bundle", Contents: contents[:1+len(contents)/2]}
		}
	}
	return s
}

// drawUp makes a state in which what is up has its needs up.
func drawUp(t *rapid.T, v *view) State {
	st := State{Up: make([]bool, v.len()), Stopped: make([]bool, v.len()), Failed: make([]bool, v.len())}
	var start []id
	for i := range v.len() {
		if rapid.Bool().Draw(t, "up") {
			start = append(start, id(i))
		}
	}
	for i := range v.needs.Closure(start).All() {
		st.Up[i] = true
	}
	for i := range st.Stopped {
		st.Stopped[i] = !st.Up[i] && rapid.Bool().Draw(t, "stopped")
		st.Failed[i] = !st.Up[i] && !st.Stopped[i] && rapid.Bool().Draw(t, "failed")
	}
	return st
}

func drawConversions(t *rapid.T, old, new *view) Conversions {
	var lines []string
	for _, name := range old.names {
		if rapid.IntRange(0, 9).Draw(t, "conversion") == 0 && new.len() > 0 {
			lines = append(lines, name+" -> "+rapid.SampledFrom(new.names).Draw(t, "to"))
		}
	}
	return conversions(lines...)
}

// drawOptions makes options that fit the old database.
func drawOptions(t *rapid.T, old *view) Options {
	o := Options{
		Policy:          rapid.SampledFrom([]Policy{Identity, Definition}).Draw(t, "policy"),
		ForceEssentials: rapid.Bool().Draw(t, "force"),
		Revive:          rapid.Bool().Draw(t, "revive"),
	}
	for _, name := range old.names {
		switch rapid.IntRange(0, 19).Draw(t, "order") {
		case 0:
			o.Restart = append(o.Restart, name)
		case 1:
			o.Keep = append(o.Keep, name)
		}
	}
	return o
}
