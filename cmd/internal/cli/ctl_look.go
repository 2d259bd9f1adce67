package cli

import (
	"errors"
	"io/fs"
	"slices"

	"strata/compile/db"
	"strata/live"
	"strata/live/change"
	"strata/live/change/tree"
)

// seen is what the reading commands look at.
type seen struct {
	db     *db.DB
	states []live.ServiceState
	// dir is the directory; state is nil if only the summary could be read.
	dir   *live.Dir
	state *live.State
	// partial is set if only the summary could be read: longruns are as of the
	// last change by a tool.
	partial bool
}

// look reads a live directory and its database without a lock.
func look(path string) (*seen, error) {
	v, err := lookStates(path)
	if err != nil || v.state == nil {
		return v, err
	}
	view, err := v.dir.View(v.state.Content, v.state.Table)
	if err != nil {
		return nil, withCode(liveCode(err), err)
	}
	v.db = view.DB
	return v, nil
}

// lookStates is look for what needs no database, but of a private one.
func lookStates(path string) (*seen, error) {
	d, err := live.Open(path)
	if err != nil {
		return nil, withCode(liveCode(err), hinted(err))
	}
	hurryIn(d)
	st, err := d.Current()
	if errors.Is(err, fs.ErrPermission) {
		return lookSummary(d)
	}
	if err != nil {
		return nil, withCode(liveCode(err), err)
	}
	return &seen{states: st.Services, dir: d, state: st}, nil
}

// lookSummary is look for those who may not ask the supervisors.
func lookSummary(d *live.Dir) (*seen, error) {
	sum, err := d.Summary()
	if err != nil {
		return nil, withCode(liveCode(err), err)
	}
	v := &seen{states: make([]live.ServiceState, len(sum.Services)), dir: d, partial: true}
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
