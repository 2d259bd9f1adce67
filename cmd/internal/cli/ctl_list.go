package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"strata/cmd/internal/ui"
	"strata/compile/db"
	"strata/live"
	"strata/live/change"
	"strata/live/change/tree"
	"strata/live/journal"
)

// stateFormat is the version of what rc-ctl prints as JSON.
const stateFormat = "strata-services/1"

// seen is what the reading commands look at.
type seen struct {
	db     *db.DB
	states []live.ServiceState
	// partial is set if only the summary could be read: longruns are as of the
	// last change by a tool.
	partial bool
}

// look reads a live directory without a lock.
func look(path string) (*seen, error) {
	d, err := live.Open(path)
	if err != nil {
		return nil, withCode(liveCode(err), err)
	}
	st, err := d.State()
	if errors.Is(err, fs.ErrPermission) {
		return lookSummary(d)
	}
	if err != nil {
		return nil, withCode(liveCode(err), err)
	}
	if err := d.CheckEpoch(st.Epoch); errors.Is(err, live.ErrStale) {
		return nil, err
	}
	v, err := d.View(st.Content, st.Table)
	if err != nil {
		return nil, withCode(liveCode(err), err)
	}
	return &seen{db: v.DB, states: st.Services}, nil
}

// lookSummary is look for those who may not ask the supervisors.
func lookSummary(d *live.Dir) (*seen, error) {
	sum, err := d.Summary()
	if err != nil {
		return nil, withCode(liveCode(err), err)
	}
	v := &seen{states: make([]live.ServiceState, len(sum.Services)), partial: true}
	for i, sv := range sum.Services {
		v.states[i] = live.ServiceState{Name: sv.Name, Type: db.Oneshot, Up: sv.Up, Wanted: sv.Wanted, Unknown: sv.Unknown}
		if sv.Type == db.Longrun.String() {
			v.states[i].Type = db.Longrun
		}
	}
	base, err := d.DB()
	switch {
	case errors.Is(err, fs.ErrPermission):
	case err != nil:
		return nil, withCode(liveCode(err), err)
	case base.Len() == len(v.states):
		v.db = base
	default: // switched just now
		return nil, errors.Join(errors.New("cannot read the live directory: it has just been updated, try again"), base.Close())
	}
	return v, nil
}

// close gives the database back.
func (v *seen) close() {
	if v.db != nil {
		_ = v.db.Close() // only a map is given back
	}
}

// whole is an error if the database cannot be read.
func (v *seen) whole() error {
	if v.db == nil {
		return errors.New("cannot read the database: it is private, and only its owner may")
	}
	return nil
}

// resolve gives what names stand for. Of a private database others know the
// services, not the bundles.
func (v *seen) resolve(names []string) ([]change.ID, error) {
	if v.db != nil {
		return tree.Resolve(v.db, names)
	}
	ids := make([]change.ID, 0, len(names))
	for _, name := range names {
		i := slices.IndexFunc(v.states, func(st live.ServiceState) bool { return st.Name == name })
		if i < 0 {
			return nil, &tree.NameError{Names: []string{name}}
		}
		ids = append(ids, change.ID(i))
	}
	return ids, nil
}

// chosen are the services that names stand for; no names are all.
func (v *seen) chosen(names []string) ([]change.ID, error) {
	if len(names) == 0 {
		return v.all(), nil
	}
	ids, err := v.resolve(names)
	if err != nil {
		return nil, withCode(liveCode(err), err)
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

func (v *seen) all() []change.ID {
	ids := make([]change.ID, len(v.states))
	for i := range ids {
		ids[i] = change.ID(i)
	}
	return ids
}

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

func newCtlList(s ui.Streams, o *ctlOptions) *cobra.Command {
	c := &cobra.Command{
		Use:   "list [-d] [NAME...]",
		Short: "Print the services that are up; with --json every service",
		RunE: func(_ *cobra.Command, args []string) error {
			v, err := look(o.live)
			if err != nil {
				return err
			}
			defer v.close()
			ids, err := v.chosen(args)
			if err != nil {
				return err
			}
			if o.json {
				return v.printJSON(s, ids)
			}
			ids = slices.DeleteFunc(ids, func(id change.ID) bool { return v.states[id].Up == o.down })
			return v.printNames(s, ids)
		},
	}
	c.Flags().BoolVarP(&o.down, "down", "d", false, "print the services that are down")
	c.Flags().BoolVar(&o.json, "json", false, "print one JSON document, format "+stateFormat)
	return c
}

func newCtlListAll(s ui.Streams, o *ctlOptions) *cobra.Command {
	c := &cobra.Command{
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
	}
	c.Flags().BoolVarP(&o.down, "down", "d", false, "go the other way")
	c.Flags().BoolVar(&o.json, "json", false, "print one JSON document, format "+stateFormat)
	return c
}

// closure is what a start, or with down a stop, of the services takes with it.
func closure(d *db.DB, ids []change.ID, down bool) []change.ID {
	if down {
		return d.Needs().Dependents(ids).IDs()
	}
	return d.Needs().Closure(ids).IDs()
}

func newCtlStatus(s ui.Streams, o *ctlOptions) *cobra.Command {
	c := &cobra.Command{
		Use:   "status [NAME...]",
		Short: "Show services in a table",
		RunE: func(_ *cobra.Command, args []string) error {
			v, err := look(o.live)
			if err != nil {
				return err
			}
			defer v.close()
			ids, err := v.chosen(args)
			if err != nil {
				return err
			}
			if o.json {
				return v.printJSON(s, ids)
			}
			return v.printTable(s, ids)
		},
	}
	c.Flags().BoolVar(&o.json, "json", false, "print one JSON document, format "+stateFormat)
	return c
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
