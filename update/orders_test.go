package update

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"strata/compile/db"
)

// TestOrders: what is said on the command line comes before the conversion file,
// that before on-change, and that before the class.
func TestOrders(t *testing.T) {
	t.Parallel()
	web := specs{"db": longrun(), "web": longrun("db"), "job": oneshot()}
	changed := specs{"db": longrun(), "web": longrun("db").with(runs("# new")), "job": oneshot().with(runs("# new")).with(onChange(db.Restart))}
	for _, c := range []struct {
		name    string
		new     specs
		options Options
		conv    []string
		want    []string
	}{
		{"restart without a change", web, Options{Restart: []string{"db"}}, nil, []string{"stop web", "stop db", "start db", "start web"}},
		{"restart of what has changed", changed, Options{Restart: []string{"web"}, Keep: []string{"job"}}, nil, []string{"stop web", "define job", "define web", "switch", "start web"}},
		{"restart said twice", web, Options{Restart: []string{"web", "web"}}, nil, []string{"stop web", "start web"}},
		{"restart of a oneshot", web, Options{Restart: []string{"job"}}, nil, []string{"stop job", "start job"}},
		{
			"restart and on-change is keep",
			specs{"db": longrun(), "web": longrun("db").with(runs("# new")).with(onChange(db.Keep)), "job": oneshot()},
			Options{Restart: []string{"web"}},
			nil,
			[]string{"stop web", "define web", "switch", "start web"},
		},
		{"keep", changed, Options{Keep: []string{"web", "job"}}, nil, []string{"define job", "define web stale", "switch"}},
		{
			"keep and on-change is reload",
			specs{"db": longrun(), "web": longrun("db").with(runs("# new")).with(onChange(db.Reload)), "job": oneshot()},
			Options{Keep: []string{"web"}},
			nil,
			[]string{"define web stale", "switch"},
		},
		{"keep and the conversion file", web, Options{Keep: []string{"web"}}, []string{"web restart", "job restart"}, []string{"stop job", "start job"}},
		{"keep without a change", web, Options{Keep: []string{"web"}}, nil, []string{}},
		{"keep under another name", specs{"db": longrun(), "www": longrun("db").with(runs("# new")), "job": oneshot()}, Options{Keep: []string{"web"}}, []string{"web -> www"}, []string{"rename web", "define web stale", "switch"}},
		{"restart under another name", specs{"db": longrun(), "www": longrun("db"), "job": oneshot()}, Options{Restart: []string{"web"}}, []string{"web -> www"}, []string{"stop web", "rename web", "switch", "start www"}},
		{"identity", changed, Options{Policy: Identity, Restart: []string{"web"}}, nil, []string{"stop web", "define job", "define web", "switch", "start web"}},
		{"identity, kept", web, Options{Policy: Identity, Keep: []string{"web"}}, []string{"web restart"}, []string{}},
	} {
		p, err := planned(t, web, c.new, up("db", "web", "job"), c.options, c.conv...)
		if d := cmp.Diff(c.want, brief(p)); err != nil || d != "" {
			t.Errorf("%s: %v (-want +got):\n%s", c.name, err, d)
			continue
		}
		for _, a := range p.Actions {
			if root := a.Because[0]; a.Op == OpStop && slices.Contains(c.options.Restart, root.Service) && (root.What != ReasonOrdered || root.Field != "--restart") {
				t.Errorf("%s: stop %s because %+v", c.name, a.Service, root)
			}
		}
	}
}

func TestOrdersRefused(t *testing.T) {
	t.Parallel()
	old := specs{"ssh": longrun("net").with(essential), "net": longrun(), "db": longrun(), "web": longrun("db"), "grp": {Type: "bundle", Contents: []string{"db", "web"}}}
	for _, c := range []struct {
		name    string
		new     specs
		options Options
		kind    error
		text    string
	}{
		{"unknown", old, Options{Restart: []string{"nobody"}}, ErrUnknown, "cannot restart nobody: it is not in the old database"},
		{"unknown, kept", old, Options{Keep: []string{"nobody"}}, ErrUnknown, "cannot keep nobody"},
		{"internal", old, Options{Restart: []string{runnerName}}, ErrUnknown, runnerName},
		{"a bundle", old, Options{Restart: []string{"grp"}}, ErrNotAtomic, "cannot restart grp: it is not an atomic service"},
		{"both", old, Options{Restart: []string{"db"}, Keep: []string{"db"}}, ErrDuplicate, "cannot keep db: it is to be restarted too"},
		{"essential", old, Options{Restart: []string{"ssh"}}, nil, "services that must not be stopped are to be restarted: ssh"},
		{"needed by an essential one", old, Options{Restart: []string{"net"}}, nil, "net, needed by an essential service"},
		{"kept, but what it needs restarts", old, Options{Restart: []string{"db"}, Keep: []string{"web"}}, nil, "to be kept have to be stopped: web"},
		{"kept, but gone", specs{"ssh": longrun("net").with(essential), "net": longrun(), "db": longrun()}, Options{Keep: []string{"web"}}, nil, "to be kept have to be stopped: web"},
	} {
		_, err := planned(t, old, c.new, up("ssh", "net", "db", "web"), c.options)
		var refused *RefusedError
		if err == nil || !strings.Contains(err.Error(), c.text) || c.kind != nil && !errors.Is(err, c.kind) || (c.kind == nil) != errors.As(err, &refused) {
			t.Errorf("%s: error %v, want one of the kind %v with %q", c.name, err, c.kind, c.text)
		}
	}
}

// TestOrdersWithoutEffect: what is not done, though somebody asks for it, is said.
func TestOrdersWithoutEffect(t *testing.T) {
	t.Parallel()
	old := specs{"ssh": longrun().with(essential), "db": longrun()}
	p, err := planned(t, old, old, up("ssh"), Options{Restart: []string{"db"}}, "ssh restart")
	want := []string{
		"essential services, or what they need, are not restarted, though the conversion file says so: ssh",
		"there is nothing to restart, as it is down: db",
	}
	if err != nil || !p.Empty() || !slices.Equal(p.Warnings, want) {
		t.Errorf("%v, %v, warnings %q", brief(p), err, p.Warnings)
	}
	p, err = planned(t, old, old, up("ssh", "db"), Options{Restart: []string{"ssh"}, ForceEssentials: true})
	if d := cmp.Diff([]string{"stop ssh", "start ssh"}, brief(p)); err != nil || d != "" {
		t.Errorf("with -e: %v, %s", err, d)
	}
}
