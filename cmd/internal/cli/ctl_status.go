package cli

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"strata/cmd/internal/ui"
	"strata/compile/db"
	"strata/live/change"
	"strata/live/explain"
	"strata/live/s6"
)

func newCtlStatus(s ui.Streams, o *ctlOptions) *cobra.Command {
	return o.jsonFlag(&cobra.Command{
		Use:   "status [NAME...]",
		Short: "Show services: a table, or for one service all that is known",
		Long: `Show services in a table, or for one service all that is known.

  STATE   up, down, starting, stopping, finishing, restarting (its process ended and
          is started again), running-up and running-down (a oneshot's program runs),
          waiting (a command is going to start it), failed, skipped (what it needs
          failed), unknown (nobody knows how its program ended)
  WANTED  whether somebody asked for it by name, and has not stopped it since
  SINCE   when it went up or down
  NOTE    what it waits for, how it failed, that it is older than its definition`,
		Example: `  rc-ctl status
  rc-ctl status web
  rc-ctl status --json multi-user | jq '.services[] | select(.state == "failed")'`,
		RunE: func(_ *cobra.Command, args []string) error { return runStatus(s, o, args) },
	})
}

func runStatus(s ui.Streams, o *ctlOptions, args []string) error {
	v, ids, sc, err := o.lookAt(args)
	if err != nil {
		return err
	}
	defer v.close()
	switch {
	case o.json:
		return v.statusJSON(s, sc, ids)
	case len(args) == 1 && len(ids) == 1 && sc.Services[ids[0]].Name == args[0]:
		return s.Lines(v.detail(sc, ids[0]))
	}
	return v.printTable(s, sc, ids)
}

// statusJSON is printServices with what only status looks at.
func (v *seen) statusJSON(s ui.Streams, sc *explain.Scene, ids []change.ID) error {
	out := servicesJSON{stateFormat, v.partial, make([]serviceState, 0, len(ids))}
	for _, id := range ids {
		sv := v.service(sc, id)
		if marked, known := v.marked(sc, id); known {
			sv.MarkedDown = &marked
		}
		out.Services = append(out.Services, sv)
	}
	return s.JSON(out)
}

// marked reports whether a longrun has the file down, if that can be known.
func (v *seen) marked(sc *explain.Scene, id change.ID) (marked, known bool) {
	st := sc.Services[id]
	if st.Type != db.Longrun || st.Slot == 0 {
		return false, false
	}
	marked, err := s6.MarkedDown(v.dir.Servicedir(st.Slot))
	return marked, err == nil
}

func (v *seen) printTable(s ui.Streams, sc *explain.Scene, ids []change.ID) error {
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "NAME\tTYPE\tSTATE\tWANTED\tSINCE\tFOR\tPID\tNOTE")
	for _, id := range ids {
		st := sc.Status(id)
		since, span, pid := "-", "-", "-"
		if !st.Since.IsZero() {
			since, span = st.Since.Local().Format(time.DateTime), explain.Duration(sc.Now.Sub(st.Since))
		}
		if st.PID != 0 {
			pid = strconv.Itoa(st.PID)
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
			ui.Escape(st.Name), st.Type, st.State, yes(st.Wanted), since, span, pid, ui.Escape(sc.Note(id)))
	}
	_ = w.Flush() // all of it into memory
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return s.Lines(lines)
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// detail is all that is known of one service.
func (v *seen) detail(sc *explain.Scene, id change.ID) []string {
	st := sc.Status(id)
	lines := []string{fmt.Sprintf("%s: %s", ui.Escape(st.Name), st.State)}
	add := func(what, value string) {
		if value != "" {
			lines = append(lines, fmt.Sprintf("  %-12s %s", what, ui.Escape(value)))
		}
	}
	if v.db != nil {
		if sv, err := v.db.Service(id); err == nil {
			add("description", sv.Description)
		}
	}
	add("type", st.Type.String())
	add("wanted", yes(st.Wanted))
	if st.Up {
		add("ready", yes(st.Ready))
	}
	if !st.Since.IsZero() {
		add("since", fmt.Sprintf("%s (%s)", st.Since.Local().Format(time.DateTime), explain.Duration(sc.Now.Sub(st.Since))))
	}
	if st.PID != 0 {
		add("pid", strconv.Itoa(st.PID))
	}
	if st.Stale {
		add("definition", "newer than its process: rc-ctl restart "+st.Name)
	}
	if marked, known := v.marked(sc, id); known {
		add("file down", markerText(marked, st))
	}
	add("why", strings.Join(sc.Sentences(sc.Why(id)[:1]), "; "))
	return lines
}

// markerText explains the file down, which is no switch for people: it only says what
// a supervisor does with the service when it is started itself.
func markerText(marked bool, st explain.Status) string {
	switch {
	case marked && st.Up && st.State != explain.Stopping:
		return "there, and goes with the next command that names the service; until then a new supervisor would leave the service down"
	case marked && st.State == explain.Starting:
		return "there until the service is up, so that a new supervisor would not start it"
	case marked:
		return "there, so that a new supervisor leaves the service down; rc-ctl start removes it"
	case st.Up:
		return "not there, so that a new supervisor starts the service; rc-ctl stop makes it"
	}
	return "not there: a new supervisor would start the service; the next command that names it makes it"
}
