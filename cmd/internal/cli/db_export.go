package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"strata/cmd/internal/ui"
	"strata/compile/db"
	"strata/graph"
)

func newDBExportCommand(s ui.Streams, o *dbOptions) *cobra.Command {
	soft := false
	c := &cobra.Command{
		Use:   "export",
		Short: "Print the graph of needs, in Graphviz's DOT language or as JSON",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			return o.use(func(d *db.DB) error {
				g := d.Needs()
				if soft {
					var err error
					if g, err = graph.Union(g, d.Soft()); err != nil {
						return err
					}
				}
				if o.json {
					return s.JSON(newGraphJSON(d, g))
				}
				if err := g.WriteDOT(s.Out, d.Name); err != nil {
					return fmt.Errorf("cannot write to standard output: %w", err)
				}
				return nil
			})
		},
	}
	c.Flags().BoolVar(&soft, "soft", false, "with the edges of order alone (wants, after, before)")
	return c
}

// graphJSON is a graph of services; an edge leads to what is depended on.
type graphJSON struct {
	Format   string     `json:"format"`
	Services []text     `json:"services"`
	Edges    []edgeJSON `json:"edges"`
}

type edgeJSON struct {
	From text `json:"from"`
	To   text `json:"to"`
}

func newGraphJSON(d *db.DB, g *graph.Graph) graphJSON {
	out := graphJSON{dbFormat, make([]text, d.Len()), []edgeJSON{}}
	for id := range db.ServiceID(d.Len()) {
		out.Services[id] = text(d.Name(id))
		for _, to := range g.Out(id) {
			out.Edges = append(out.Edges, edgeJSON{text(d.Name(id)), text(d.Name(to))})
		}
	}
	return out
}
