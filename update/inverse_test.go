package update

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestInverse turns patches round by hand. That it leads back from wherever a patch
// leads is a property; see [TestPatchProperties].
func TestInverse(t *testing.T) {
	t.Parallel()
	old := specs{"db": longrun(), "web": longrun("db"), "gone": oneshot(), "x": longrun()}
	for _, c := range []struct {
		name string
		new  specs
		conv []string
		want []string
	}{
		{
			"a restart, a new service and one that is gone",
			specs{"db": longrun().with(runs("# new")), "web": longrun("db", "cache"), "cache": longrun(), "x": longrun()},
			nil,
			[]string{"stop web", "stop db", "stop cache", "make gone", "define db", "switch", "remove cache", "start gone", "start db", "start web"},
		},
		{
			"a rename",
			specs{"sql": longrun(), "web": longrun("sql"), "gone": oneshot(), "x": longrun()},
			[]string{"db -> sql"},
			[]string{"rename sql", "switch"},
		},
		{
			"a restart under another name",
			specs{"sql": longrun().with(runs("# new")), "web": longrun("sql"), "gone": oneshot(), "x": longrun()},
			[]string{"db -> sql"},
			[]string{"stop web", "stop sql", "rename sql", "define sql", "switch", "start db", "start web"},
		},
		{
			"a bundle",
			specs{"db": longrun(), "web": longrun("db"), "gone": {Type: "bundle", Contents: []string{"g1", "g2"}}, "g1": oneshot(), "g2": oneshot(), "x": longrun()},
			nil,
			[]string{"stop g2", "stop g1", "make gone", "switch", "remove g1", "remove g2", "start gone"},
		},
		{
			"another type",
			specs{"db": longrun(), "web": longrun("db"), "gone": longrun(), "x": longrun()},
			nil,
			[]string{"stop gone", "make gone", "switch", "remove gone", "start gone"},
		},
	} {
		p, err := planned(t, old, c.new, up("db", "web", "gone"), Options{}, c.conv...)
		if err != nil {
			t.Fatal(err)
		}
		inv := p.Inverse()
		if d := cmp.Diff(c.want, brief(inv)); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
		if d := cmp.Diff(p.Before, Before{inv.After.Up}); d != "" || inv.Old != p.New || inv.New != p.Old || inv.Counts.Restart != p.Counts.Restart {
			t.Errorf("%s: leads from %v to %v with %+v: %s", c.name, inv.Old, inv.New, inv.Counts, d)
		}
		text, err := json.Marshal(inv)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParsePatch(text); err != nil {
			t.Errorf("%s: %v\n%s", c.name, err, text)
		}
		if d := cmp.Diff(brief(p), brief(inv.Inverse())); d != "" {
			t.Errorf("%s: taken back twice (-want +got):\n%s", c.name, d)
		}
	}
}
