package cli

import (
	"time"

	"strata/live"
	"strata/live/change"
	"strata/live/explain"
	"strata/live/journal"
)

// lookAt reads the live directory for commands that say something of services: those
// that names stand for, in their scene. The caller closes what was seen.
func (o *ctlOptions) lookAt(names []string) (v *seen, ids []change.ID, sc *explain.Scene, err error) {
	if v, err = look(o.live); err != nil {
		return nil, nil, nil, err
	}
	if ids, err = v.chosen(names); err == nil {
		sc, err = v.scene()
	}
	if err != nil {
		v.close()
		return nil, nil, nil, err
	}
	return v, ids, sc, nil
}

// scene is what the words of status and why are made of. Who may not ask the
// supervisors sees longruns as the journal has them.
func (v *seen) scene() (*explain.Scene, error) {
	s := &explain.Scene{Services: v.states, Now: time.Now()}
	var table journal.Table
	if v.state != nil {
		s.Run, table = v.state.Run, v.state.Table
	} else {
		records, err := journal.Read(v.dir.JournalPath())
		if err != nil {
			return nil, withCode(exitInvalid, err)
		}
		j := journal.Fold(records)
		s.Services, s.Run, table = live.Recorded(j), j.Run, j.Table
	}
	s.Working = s.Run != nil && live.Running(s.Run.Run)
	if v.db != nil && v.db.Len() == len(s.Services) {
		s.Graphs = change.GraphsOf(v.db)
		s.Service = explain.FactsOf(live.View{DB: v.db, Table: table})
	}
	return s, nil
}
