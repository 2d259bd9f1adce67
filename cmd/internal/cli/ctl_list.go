package cli

import (
	"errors"
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"strata/cmd/internal/ui"
	"strata/compile/db"
	"strata/live"
	"strata/live/change"
	"strata/live/journal"
)

// stateFormat is the version of what rc-ctl prints as JSON.
const stateFormat = "strata-services/1"

// serviceState is one service as JSON.
type serviceState struct {
	Name    text       `json:"name"`
	Type    string     `json:"type"`
	Up      bool       `json:"up"`
	Wanted  bool       `json:"wanted"`
	State   string     `json:"state"`
	Ready   bool       `json:"ready"`
	PID     int        `json:"pid,omitempty"`
	Since   *time.Time `json:"since,omitempty"`
	Level   *int       `json:"level,omitempty"`
	Cause   text       `json:"cause,omitempty"`
	Failure text       `json:"failure,omitempty"`
}

func (v *seen) service(id change.ID) serviceState {
	st := v.states[id]
	out := serviceState{
		Name: text(st.Name), Type: st.Type.String(), Up: st.Up, Wanted: st.Wanted, State: stateWord(st),
		Ready: st.Up, Cause: text(st.Cause), Failure: text(st.Failure),
	}
	if v.db != nil {
		level := v.db.Levels().Of(id)
		out.Level = &level
	}
	if st.Type == db.Longrun && st.Supervised {
		out.PID = st.Status.PID
		out.Ready = st.Up && (!v.db.HasReadiness(id) || st.Status.UpReady())
	}
	if !st.Since.IsZero() {
		out.Since = &st.Since
	}
	return out
}

// stateWord is the state of a service in one word.
func stateWord(st live.ServiceState) string {
	longrun := st.Type == db.Longrun && st.Supervised
	switch {
	case st.Pending == journal.PhaseUp, st.Pending == journal.PhaseDown:
		return "running-" + string(st.Pending)
	case st.Unknown:
		return "unknown"
	case longrun && st.Status.Finishing:
		return "finishing"
	case longrun && st.Up && !st.Status.Up():
		return "restarting"
	case st.Up:
		return "up"
	case st.Starting:
		return "starting"
	case st.Failure != "":
		return "failed"
	}
	return "down"
}

// printJSON prints services as JSON.
func (v *seen) printJSON(s ui.Streams, ids []change.ID) error {
	out := struct {
		Format   string         `json:"format"`
		Partial  bool           `json:"partial,omitempty"`
		Services []serviceState `json:"services"`
	}{stateFormat, v.partial, make([]serviceState, 0, len(ids))}
	for _, id := range ids {
		out.Services = append(out.Services, v.service(id))
	}
	return s.JSON(out)
}

// printNames prints one name a line.
func (v *seen) printNames(s ui.Streams, ids []change.ID) error {
	for _, id := range ids {
		if _, err := fmt.Fprintln(s.Out, ui.Escape(v.states[id].Name)); err != nil {
			return fmt.Errorf("cannot write to standard output: %w", err)
		}
	}
	return nil
}

// show reads the live directory and prints what names stand for, as JSON or as
// text does it.
func (o *ctlOptions) show(s ui.Streams, names []string, text func(*seen, []change.ID) error) error {
	v, err := look(o.live)
	if err != nil {
		return err
	}
	defer v.close()
	ids, err := v.chosen(names)
	if err != nil {
		return err
	}
	if o.json {
		return v.printJSON(s, ids)
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
				return v.printJSON(s, ids)
			}
			return v.printNames(s, ids)
		},
	})
	c.Flags().BoolVarP(&o.down, "down", "d", false, "go the other way")
	return c
}

func newCtlStatus(s ui.Streams, o *ctlOptions) *cobra.Command {
	return o.jsonFlag(&cobra.Command{
		Use:   "status [NAME...]",
		Short: "Show services in a table",
		RunE: func(_ *cobra.Command, args []string) error {
			return o.show(s, args, func(v *seen, ids []change.ID) error { return v.printTable(s, ids) })
		},
	})
}

// closure is what a start, or with down a stop, of the services takes with it.
func closure(d *db.DB, ids []change.ID, down bool) []change.ID {
	if down {
		return d.Needs().Dependents(ids).IDs()
	}
	return d.Needs().Closure(ids).IDs()
}

func (v *seen) printTable(s ui.Streams, ids []change.ID) error {
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	if _, err := fmt.Fprintln(w, "NAME\tTYPE\tSTATE\tSINCE\tPID"); err != nil {
		return err
	}
	for _, id := range ids {
		sv := v.service(id)
		since, pid := "-", "-"
		if sv.Since != nil {
			since = sv.Since.Local().Format(time.DateTime)
		}
		if sv.PID != 0 {
			pid = fmt.Sprint(sv.PID)
		}
		if _, err := fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", ui.Escape(string(sv.Name)), sv.Type, sv.State, since, pid); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("cannot write to standard output: %w", err)
	}
	return nil
}

func newCtlDiff(s ui.Streams, o *ctlOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "diff",
		Short: "Print longruns that are not as they were left: + runs, - does not",
		Args:  usageArgs(cobra.NoArgs),
		RunE:  func(*cobra.Command, []string) error { return printDrift(s, o.live) },
	}
}

// printDrift prints the longruns whose supervisor wants them otherwise than the
// journal has them, and ends with the code for a difference if there are any.
func printDrift(s ui.Streams, path string) error {
	v, err := look(path)
	if err != nil {
		return err
	}
	defer v.close()
	if v.partial {
		return errors.New("cannot compare with the supervisors: only the owner of the live directory may ask them")
	}
	code := exitOK
	for id, st := range v.states {
		if st.Type != db.Longrun || !st.Observed {
			continue
		}
		sign := "-"
		if st.Up {
			sign = "+"
		}
		s.Printf("%s%s\n", sign, ui.Escape(v.states[id].Name))
		code = exitFailed
	}
	if code != exitOK {
		return silent(code)
	}
	return nil
}
