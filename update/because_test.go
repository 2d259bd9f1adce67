package update

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// causeTexts gives the chain of each action, by "op service".
func causeTexts(p *Patch) map[string][]string {
	chains := map[string][]string{}
	for _, a := range p.Actions {
		var links []string
		for _, c := range a.Because {
			text := fmt.Sprintf("%s %s %s %s", c.What, c.Service, c.Field, c.At)
			if c.OldAt != "" {
				text += ", was " + c.OldAt
			}
			links = append(links, strings.Join(strings.Fields(text), " "))
		}
		chains[strings.TrimSpace(string(a.Op)+" "+a.Service)] = links
	}
	return chains
}

func TestBecause(t *testing.T) {
	t.Parallel()
	old := specs{
		"db": longrun(), "web": longrun("db"), "top": longrun("web"), "x": longrun(), "log": longrun(), "cron": longrun(),
		"gone": longrun(), "mail": longrun("mta"), "exim": longrun().with(provides("mta")),
	}
	new := specs{
		"db": longrun().with(runs("# new")), "web": longrun("cache", "db"), "cache": longrun(), "top": longrun("web"),
		"x": longrun("y"), "y": longrun("z"), "z": longrun(), "log": longrun().with(wants("tail")), "tail": longrun(), "at": longrun(),
		"mail": longrun("mta"), "postfix": longrun().with(provides("mta")),
	}
	everything := up("db", "web", "top", "x", "log", "cron", "gone", "mail", "exim")
	p, err := planned(t, old, new, everything, Options{Restart: []string{"log"}}, "cron -> at restart")
	if err != nil {
		t.Fatal(err)
	}
	changed := "changed db run 0:db.toml, was 0:db.toml"
	top := []string{changed, "needs web needs/db 0:web.toml:3, was 0:web.toml:2", "needs top needs/web 0:top.toml:2, was 0:top.toml:2"}
	x := []string{"added y 0:y.toml", "gained x needs/y 0:x.toml:2"}
	chains := causeTexts(p)
	for action, want := range map[string][]string{
		"stop db":       {changed},
		"stop web":      top[:2],
		"stop top":      top,
		"start top":     top,
		"define db":     {changed},
		"start cache":   {"added cache 0:cache.toml", "gained web needs/cache 0:web.toml:2"},
		"stop x":        x,
		"start x":       x,
		"start y":       x,
		"start z":       append(slices.Clone(x), "needs y needs/z 0:y.toml:2"),
		"make z":        {"added z 0:z.toml"},
		"stop log":      {"ordered log --restart"},
		"start tail":    {"added tail 0:tail.toml", "gained log wants/tail 0:log.toml:3"},
		"stop cron":     {"ordered cron conversion-file conv:1"},
		"rename cron":   {"renamed cron conversion-file conv:1"},
		"start at":      {"ordered cron conversion-file conv:1"},
		"stop gone":     {"removed gone 0:gone.toml"},
		"remove gone":   {"removed gone 0:gone.toml"},
		"stop mail":     {"removed exim 0:exim.toml", "needs mail needs/exim 0:mail.toml:2"},
		"start postfix": {"provided mta 0:postfix.toml:2, was 0:exim.toml:2"},
		"switch":        {"database"},
	} {
		if d := cmp.Diff(want, chains[action]); d != "" {
			t.Errorf("%s (-want +got):\n%s", action, d)
		}
	}
}

// TestLongChain: a chain of many links is cut in the middle, so that a long line of
// services does not make a patch that grows with its square.
func TestLongChain(t *testing.T) {
	t.Parallel()
	const n = 100
	line := func(first string) specs {
		s := specs{"s000": longrun().with(runs(first))}
		for i := 1; i < n; i++ {
			s[fmt.Sprintf("s%03d", i)] = longrun(fmt.Sprintf("s%03d", i-1))
		}
		return s
	}
	all := func(v *view) State { return upState(v, v.names...) }
	p, err := planned(t, line(""), line("# new"), all, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for k, a := range p.Actions[:n] {
		length, links := n-k, a.Because
		if length <= maxLinks {
			if len(links) != length {
				t.Errorf("%s: %d links, want %d", a.Service, len(links), length)
			}
			continue
		}
		half := maxLinks / 2
		if len(links) != maxLinks+1 || links[half].What != ReasonThrough || links[half].Links != length-maxLinks ||
			links[half-1].Service != fmt.Sprintf("s%03d", half-1) || links[half+1].Service != fmt.Sprintf("s%03d", length-half) || links[maxLinks].Service != a.Service {
			t.Errorf("%s: %d links, %+v", a.Service, len(links), links[half-1:half+2])
		}
	}
}

// TestChains: what a patch does has a chain, which an independent search finds to be
// right and to be a shortest one.
func TestChains(t *testing.T) {
	t.Parallel()
	rapid.Check(t, chainsAreShortest)
}

func chainsAreShortest(t *rapid.T) {
	old, new := drawSpecs(t, "old").view(t), drawSpecs(t, "new").view(t)
	st := drawUp(t, old)
	o := drawOptions(t, old)
	conv := drawConversions(t, old, new)
	c, err := diffViews(old, new, conv, false)
	if err != nil {
		return // two old services that would become one
	}
	p, err := Plan(c, st, o)
	if err != nil {
		return // refused
	}
	newChecker(t, c, st, o, p).check()
}
