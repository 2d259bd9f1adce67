package live

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"strata/live/journal"
	"strata/live/s6"
)

// asker asks the supervisors of a live directory: thousands of them, for every
// command.
type asker struct {
	dir   *Dir
	sv    *s6.Directory
	began uint64 // when it was opened, in clock ticks after boot
	// present says which slots have a supervisor, so that only the others have to be
	// asked for one.
	present *presence
}

// ask opens the service directories. What is known already of who is there may be
// older than what is asked now. The caller closes the asker.
func (d *Dir) ask(present *presence) (*asker, error) {
	sv, err := s6.OpenDirectory(d.file("sv"))
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if err != nil {
		return nil, err
	}
	return &asker{dir: d, sv: sv, began: nowTicks(), present: present}, nil
}

func (a *asker) close() { _ = a.sv.Close() } // nothing was written

// look asks whether a longrun has a supervisor and what that has said last.
func (a *asker) look(s *ServiceState) error {
	name := slotName(s.Slot)
	if p := a.present; uint64(s.Slot) < uint64(len(p.said)) && p.said[s.Slot].asked {
		heard := &p.said[s.Slot]
		s.Supervised, s.Status, s.Unmarked = true, heard.status, heard.unmarked
		return nil
	}
	var err error
	if a.present.has(s.Slot) {
		s.Supervised = true
		s.Status, err = a.sv.Status(name)
		return err
	}
	var pid int
	s.Status, pid, s.Supervised, err = a.sv.Look(name)
	if s.Supervised {
		a.present.found(s.Slot, pid)
	}
	return err
}

// note makes the next asker's work easier, if that is worth it. Only the holder of
// the lock may.
func (a *asker) note() {
	const few = 32
	asked, all := int(a.present.asked.Load()), 0
	for _, pid := range a.present.pids {
		if pid != 0 {
			all++
		}
	}
	if asked > few && 4*asked > all {
		_ = a.dir.writeRoll(a.present, a.began) // it saves time and nothing else
	}
}

// services gives the state of the services of a table.
func (a *asker) services(known *journal.Folder, t journal.Table) ([]ServiceState, error) {
	states := make([]ServiceState, len(t))
	err := spread(len(t), func(i int) error {
		return a.service(&states[i], t[i], known.Service(t[i].Slot))
	})
	return states, err
}

// spread calls do for 0 to n-1, on all processors. It ends with one of the errors.
func spread(n int, do func(int) error) error {
	const batch = 64 // enough to be worth taking
	var next atomic.Int64
	var g errgroup.Group
	for range min(runtime.GOMAXPROCS(0), (n+batch-1)/batch) {
		g.Go(func() error {
			for {
				end := int(next.Add(batch))
				for i := end - batch; i < min(end, n); i++ {
					if err := do(i); err != nil {
						return err
					}
				}
				if end >= n {
					return nil
				}
			}
		})
	}
	return g.Wait()
}
