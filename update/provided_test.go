package update

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestProvidedNames: a need or a want of a provided name follows the provider.
func TestProvidedNames(t *testing.T) {
	t.Parallel()
	mta := provides("mta")
	needs := specs{"web": longrun("mta"), "exim": longrun().with(mta), "postfix": longrun()}
	moved := specs{"web": longrun("mta"), "exim": longrun(), "postfix": longrun().with(mta)}
	gone := specs{"web": longrun("mta"), "postfix": longrun().with(mta)}
	wanting := specs{"web": longrun().with(wants("mta")), "exim": longrun().with(mta), "postfix": longrun()}
	wantGone := specs{"web": longrun().with(wants("mta")), "postfix": longrun().with(mta)}
	for _, c := range []struct {
		name        string
		old, new    specs
		up, stopped []string
		want        []string
	}{
		{"a need, both are up", needs, moved, []string{"web", "exim", "postfix"}, nil, []string{"switch"}},
		{"a need, the new one is down", needs, moved, []string{"web", "exim"}, nil, []string{"stop web", "switch", "start postfix", "start web"}},
		{"a need, the old one is gone", needs, gone, []string{"web", "exim", "postfix"}, nil, []string{"stop web", "stop exim", "switch", "remove exim", "start web"}},
		{"a need of what an operator stopped", needs, moved, []string{"web", "exim"}, []string{"postfix"}, []string{"stop web", "switch", "start postfix forced", "start web"}},
		{"nobody needs it, the old one is gone", needs, gone, []string{"exim"}, nil, []string{"stop exim", "switch", "remove exim", "start postfix"}},
		{"and an operator stopped the new one", needs, gone, []string{"exim"}, []string{"postfix"}, []string{"stop exim", "switch", "remove exim"}},
		{"nobody needs it, the old one goes on", needs, moved, []string{"exim"}, nil, []string{"switch"}},
		{"a want, the old one is up", wanting, wantGone, []string{"web", "exim"}, nil, []string{"stop exim", "switch", "remove exim", "start postfix"}},
		{"a want, the old one is down", wanting, wantGone, []string{"web"}, nil, []string{"switch", "remove exim"}},
		{
			"a want, the old one is down and stays", wanting,
			specs{"web": longrun().with(wants("mta")), "exim": longrun(), "postfix": longrun().with(mta)},
			[]string{"web"},
			nil,
			[]string{"switch"},
		},
		{
			"a want beside that of the old one, which is down", wanting,
			specs{"web": longrun().with(wants("mta", "exim")), "exim": longrun(), "postfix": longrun().with(mta)},
			[]string{"web"},
			nil,
			[]string{"switch", "start postfix"},
		},
		{
			"a new want of what an operator stopped",
			specs{"exim": longrun().with(mta), "web": longrun()},
			specs{"postfix": longrun().with(mta), "web": longrun().with(wants("mta"))},
			[]string{"web"},
			[]string{"exim"},
			[]string{"make postfix", "switch", "remove exim"},
		},
		{
			"a new need of what an operator stopped",
			specs{"exim": longrun().with(mta), "web": longrun()},
			specs{"postfix": longrun().with(mta), "web": longrun("mta")},
			[]string{"web"},
			[]string{"exim"},
			[]string{"stop web", "make postfix", "switch", "remove exim", "start postfix forced", "start web"},
		},
		{
			"a service's own name, provided by a new one",
			specs{"exim": longrun(), "web": longrun("exim")},
			specs{"postfix": longrun().with(provides("exim")), "web": longrun("exim")},
			[]string{"web", "exim"},
			nil,
			[]string{"rename exim", "switch"},
		},
		{
			"a service's own name, provided by one that was there",
			specs{"exim": longrun(), "web": longrun("exim"), "postfix": longrun()},
			specs{"postfix": longrun().with(provides("exim")), "web": longrun("exim")},
			[]string{"web", "exim"},
			nil,
			[]string{"stop web", "stop exim", "switch", "remove exim", "start postfix", "start web"},
		},
		{
			"two names, provided by a new one",
			specs{"exim": longrun(), "smail": longrun()},
			specs{"postfix": longrun().with(provides("exim", "smail"))},
			[]string{"exim", "smail"},
			nil,
			[]string{"stop exim", "rename smail", "switch", "remove exim"},
		},
		{
			"a name that becomes a service",
			specs{"exim": longrun().with(mta), "web": longrun("mta")},
			specs{"mta": longrun(), "web": longrun("mta")},
			[]string{"web", "exim"},
			nil,
			[]string{"stop web", "stop exim", "make mta", "switch", "remove exim", "start mta", "start web"},
		},
	} {
		state := func(v *view) State {
			st := upState(v, c.up...)
			for i, stopped := range upState(v, c.stopped...).Up {
				st.Stopped[i] = stopped
			}
			return st
		}
		p, err := planned(t, c.old, c.new, state, Options{})
		if d := cmp.Diff(c.want, brief(p)); err != nil || d != "" {
			t.Errorf("%s: %v (-want +got):\n%s", c.name, err, d)
		}
	}
}
