package live

import (
	"errors"
	"io/fs"

	"strata/live/journal"
)

// Recorded gives the states of the current database's services by the journal alone,
// for those who may not ask the supervisors: longruns are as of the last command.
func Recorded(j journal.State) []ServiceState {
	states := make([]ServiceState, len(j.Table))
	for i, e := range j.Table {
		states[i] = recorded(e, j.Services[e.Slot])
	}
	return states
}

// recorded is what the journal knows of a service.
func recorded(e journal.Entry, known journal.Service) ServiceState {
	return ServiceState{
		Slot: e.Slot, Name: e.Name, Type: e.Type, Wanted: known.Wanted, Up: known.Up, Unknown: known.Unknown,
		Pending: known.Pending, Def: known.Def, Since: known.Since,
		Cause: known.Cause, By: known.By, Command: known.Command,
		Failure: known.Failure, Failed: known.Failed, Permanent: known.Permanent, Skipped: known.Skipped,
		At: known.At, Noted: known.Observed,
	}
}

// Service gives the state of one service of which the journal knows this. Who may not
// ask its supervisor gets what the journal knows.
func (d *Dir) Service(e journal.Entry, known journal.Service) (ServiceState, error) {
	a, err := d.ask(new(presence))
	if err != nil {
		return ServiceState{}, err
	}
	defer a.close()
	var s ServiceState
	err = a.service(&s, e, known)
	if errors.Is(err, fs.ErrPermission) {
		return recorded(e, known), nil
	}
	return s, err
}
