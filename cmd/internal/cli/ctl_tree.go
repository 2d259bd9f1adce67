package cli

import (
	"slices"

	"github.com/spf13/cobra"

	"strata/cmd/internal/ui"
	"strata/live/change"
	"strata/live/explain"
)

// treeFormat is the version of what rc-ctl tree prints as JSON.
const treeFormat = "strata-tree/1"

func newCtlTree(s ui.Streams, o *ctlOptions) *cobra.Command {
	c := &cobra.Command{
		Use:   "tree [-d] [NAME...]",
		Short: "Show what services depend on; with -d, what depends on them",
		Long: `Show what services depend on, as a tree, or with -d what depends on them; without
a name, everything, beginning with the services that nothing depends on.

A service is needed by the one above it, unless the line says that it is wanted
("wants") or only ordered ("after"). What is below a service is shown once; where the
service stands again, "..." follows it.`,
		Example: `  rc-ctl tree web
  rc-ctl tree -d network`,
		RunE: func(_ *cobra.Command, args []string) error { return runTree(s, o, args) },
	}
	f := c.Flags()
	f.BoolVarP(&o.down, "down", "d", false, "go the other way: from services to what depends on them")
	f.BoolVar(&o.json, "json", false, "print one JSON document, format "+treeFormat)
	return c
}

func runTree(s ui.Streams, o *ctlOptions, args []string) error {
	v, err := look(o.live)
	if err != nil {
		return err
	}
	defer v.close()
	if err := v.whole(); err != nil {
		return err
	}
	sc, err := v.scene()
	if err != nil {
		return err
	}
	roots := explain.Roots(sc.Graphs, len(sc.Services), o.down)
	if len(args) > 0 {
		if roots, err = v.chosen(args); err != nil {
			return err
		}
	}
	rows := explain.Tree(sc.Graphs, roots, o.down)
	if o.json {
		return s.JSON(newTree(sc, roots, rows))
	}
	lines := make([]string, len(rows))
	for i, r := range rows {
		lines[i] = treeLine(sc, r)
	}
	return s.Lines(lines)
}

// treeLine is a row with the state of its service.
func treeLine(sc *explain.Scene, r explain.Row) string {
	line := r.Prefix
	if r.Edge == explain.Wants || r.Edge == explain.After {
		line += string(r.Edge) + " "
	}
	line += ui.Escape(sc.Services[r.Service].Name) + ": " + string(sc.State(r.Service))
	if r.Again {
		line += " ..."
	}
	return line
}

// treeJSON is the document: each service once, with its edges.
type treeJSON struct {
	Format   string            `json:"format"`
	Roots    []text            `json:"roots"`
	Services []treeServiceJSON `json:"services"`
}

type treeServiceJSON struct {
	Name  text   `json:"name"`
	State string `json:"state"`
	Up    bool   `json:"up"`
	// Needs and the others are what the service depends on, also with -d; After is
	// what it is only ordered after.
	Needs []text `json:"needs"`
	Wants []text `json:"wants"`
	After []text `json:"after"`
}

func newTree(sc *explain.Scene, roots []change.ID, rows []explain.Row) treeJSON {
	out := treeJSON{Format: treeFormat, Roots: serviceNames(sc, roots), Services: []treeServiceJSON{}}
	seen := make(map[change.ID]bool)
	for _, r := range rows {
		if seen[r.Service] {
			continue
		}
		seen[r.Service] = true
		needs, wants := sc.Graphs.Needs.Out(r.Service), sc.Graphs.Wants.Out(r.Service)
		after := slices.DeleteFunc(slices.Clone(sc.Graphs.Soft.Out(r.Service)), func(id change.ID) bool {
			return slices.Contains(needs, id) || slices.Contains(wants, id)
		})
		out.Services = append(out.Services, treeServiceJSON{
			Name: text(sc.Services[r.Service].Name), State: string(sc.State(r.Service)), Up: sc.Services[r.Service].Up,
			Needs: serviceNames(sc, needs), Wants: serviceNames(sc, wants), After: serviceNames(sc, after),
		})
	}
	return out
}

// serviceNames are those of services, never null.
func serviceNames(sc *explain.Scene, ids []change.ID) []text {
	out := make([]text, len(ids))
	for i, id := range ids {
		out[i] = text(sc.Services[id].Name)
	}
	return out
}
