package cli

import (
	"time"

	"strata/cmd/internal/ui"
	"strata/live/change"
	"strata/live/explain"
)

// stateFormat is the version of what rc-ctl prints of services as JSON.
const stateFormat = "strata-services/1"

// serviceState is one service as JSON.
type serviceState struct {
	Name      text       `json:"name"`
	Type      string     `json:"type"`
	Up        bool       `json:"up"`
	Wanted    bool       `json:"wanted"`
	State     string     `json:"state"`
	Ready     bool       `json:"ready"`
	Stale     bool       `json:"stale,omitempty"`
	PID       int        `json:"pid,omitempty"`
	Since     *time.Time `json:"since,omitempty"`
	Level     *int       `json:"level,omitempty"`
	Cause     text       `json:"cause,omitempty"`
	Command   text       `json:"command,omitempty"`
	Doing     *doingJSON `json:"doing,omitempty"`
	Failure   text       `json:"failure,omitempty"`
	Failed    string     `json:"failed,omitempty"`
	Permanent bool       `json:"permanent,omitempty"`
	SkippedBy text       `json:"skipped_by,omitempty"`
	Observed  text       `json:"observed,omitempty"`
	// MarkedDown is whether the file down is there; status alone looks.
	MarkedDown *bool `json:"marked_down,omitempty"`
}

// doingJSON is what a command that is under way does to a service, or is about to.
type doingJSON struct {
	Op         string     `json:"op"`
	Begun      bool       `json:"begun"`
	Since      *time.Time `json:"since,omitempty"`
	LimitMS    int64      `json:"limit_ms,omitempty"`
	WaitingFor []text     `json:"waiting_for,omitempty"`
}

// known is a time, nil if it is not known.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func newDoing(sc *explain.Scene, w *explain.Wait) *doingJSON {
	if w == nil {
		return nil
	}
	out := &doingJSON{Op: w.Op.String(), Begun: w.Begun, Since: known(w.Since), LimitMS: w.Limit.Milliseconds()}
	for _, id := range w.For {
		out.WaitingFor = append(out.WaitingFor, text(sc.Services[id].Name))
	}
	return out
}

func (v *seen) service(sc *explain.Scene, id change.ID) serviceState {
	st := sc.Status(id)
	out := serviceState{
		Name: text(st.Name), Type: st.Type.String(), Up: st.Up, Wanted: st.Wanted, State: string(st.State),
		Ready: st.Ready, Stale: st.Stale, PID: st.PID, Since: known(st.Since),
		Cause: text(st.Cause), Command: text(st.Command), Doing: newDoing(sc, st.Wait),
		Failure: text(st.Failure), Failed: string(st.Failed), Permanent: st.Permanent, SkippedBy: text(st.By),
		Observed: text(st.Observed),
	}
	if v.db != nil {
		level := v.db.Levels().Of(id)
		out.Level = &level
	}
	return out
}

// servicesJSON is the document.
type servicesJSON struct {
	Format   string         `json:"format"`
	Partial  bool           `json:"partial,omitempty"`
	Services []serviceState `json:"services"`
}

// printServices prints services as JSON.
func (v *seen) printServices(s ui.Streams, ids []change.ID) error {
	sc, err := v.scene()
	if err != nil {
		return err
	}
	out := servicesJSON{stateFormat, v.partial, make([]serviceState, 0, len(ids))}
	for _, id := range ids {
		out.Services = append(out.Services, v.service(sc, id))
	}
	return s.JSON(out)
}
