package cli

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"strata/cmd/internal/ui"
	"strata/compile/db"
	"strata/live/change"
)

// printNames prints one name a line.
func (v *seen) printNames(s ui.Streams, ids []change.ID) error {
	var text []byte
	for _, id := range ids {
		text = append(append(text, ui.Escape(v.states[id].Name)...), '\n')
	}
	if _, err := s.Out.Write(text); err != nil {
		return fmt.Errorf("cannot write to standard output: %w", err)
	}
	return nil
}

// show reads the live directory and prints what names stand for, as JSON or as
// text does it.
func (o *ctlOptions) show(s ui.Streams, names []string, text func(*seen, []change.ID) error) error {
	read := look
	if len(names) == 0 && !o.json {
		read = lookStates
	}
	v, err := read(o.live)
	if err != nil {
		return err
	}
	defer v.close()
	ids, err := v.chosen(names)
	if err != nil {
		return err
	}
	if o.json {
		return v.printServices(s, ids)
	}
	return text(v, ids)
}

// jsonFlag adds --json to a command that shows services.
func (o *ctlOptions) jsonFlag(c *cobra.Command) *cobra.Command {
	c.Flags().BoolVar(&o.json, "json", false, "print one JSON document, format "+stateFormat)
	return c
}

func newCtlList(s ui.Streams, o *ctlOptions) *cobra.Command {
	c := o.jsonFlag(&cobra.Command{
		Use:   "list [-d] [NAME...]",
		Short: "Print the services that are up; with --json every service",
		RunE: func(_ *cobra.Command, args []string) error {
			return o.show(s, args, func(v *seen, ids []change.ID) error {
				return v.printNames(s, slices.DeleteFunc(ids, func(id change.ID) bool { return v.states[id].Up == o.down }))
			})
		},
	})
	c.Flags().BoolVarP(&o.down, "down", "d", false, "print the services that are down")
	return c
}

func newCtlListAll(s ui.Streams, o *ctlOptions) *cobra.Command {
	c := o.jsonFlag(&cobra.Command{
		Use:   "listall [-d] NAME...",
		Short: "Print services with all they need; with -d, with all that needs them",
		Args:  usageArgs(namesDue),
		RunE: func(_ *cobra.Command, args []string) error {
			v, err := look(o.live)
			if err != nil {
				return err
			}
			defer v.close()
			if err := v.whole(); err != nil {
				return err
			}
			ids, err := v.chosen(args)
			if err != nil {
				return err
			}
			if ids = closure(v.db, ids, o.down); o.json {
				return v.printServices(s, ids)
			}
			return v.printNames(s, ids)
		},
	})
	c.Flags().BoolVarP(&o.down, "down", "d", false, "go the other way")
	return c
}

// closure is what a start, or with down a stop, of the services takes with it.
func closure(d *db.DB, ids []change.ID, down bool) []change.ID {
	if down {
		return d.Needs().Dependents(ids).IDs()
	}
	return d.Needs().Closure(ids).IDs()
}

// driftFormat is the version of what rc-ctl diff prints as JSON.
const driftFormat = "strata-drift/1"

// driftJSON is the document: longruns that are not as they were left.
type driftJSON struct {
	Format   string           `json:"format"`
	Services []driftedService `json:"services"`
}

type driftedService struct {
	Name text `json:"name"`
	Up   bool `json:"up"`
}

func newCtlDiff(s ui.Streams, o *ctlOptions) *cobra.Command {
	c := &cobra.Command{
		Use:   "diff",
		Short: "Print longruns that are not as they were left: + runs, - does not",
		Args:  usageArgs(cobra.NoArgs),
		RunE:  func(*cobra.Command, []string) error { return printDrift(s, o.live, o.json) },
	}
	c.Flags().BoolVar(&o.json, "json", false, "print one JSON document, format "+driftFormat)
	return c
}

// printDrift prints the longruns whose supervisor wants them otherwise than the
// journal has them, and ends with the code for a difference if there are any.
func printDrift(s ui.Streams, path string, asJSON bool) error {
	v, err := lookStates(path)
	if err != nil {
		return err
	}
	defer v.close()
	if v.partial {
		return errors.New("cannot compare with the supervisors: only the owner of the live directory may ask them")
	}
	out := driftJSON{driftFormat, []driftedService{}}
	for _, st := range v.states {
		if st.Type == db.Longrun && st.Observed {
			out.Services = append(out.Services, driftedService{text(st.Name), st.Up})
		}
	}
	if err := out.print(s, asJSON); err != nil {
		return err
	}
	if len(out.Services) > 0 {
		return silent(exitFailed)
	}
	return nil
}

func (d driftJSON) print(s ui.Streams, asJSON bool) error {
	if asJSON {
		return s.JSON(d)
	}
	lines := make([]string, len(d.Services))
	for i, sv := range d.Services {
		sign := "-"
		if sv.Up {
			sign = "+"
		}
		lines[i] = sign + ui.Escape(string(sv.Name))
	}
	return s.Lines(lines)
}
