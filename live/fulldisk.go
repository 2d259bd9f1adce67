package live

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"strata/compile/db"
	"strata/live/s6"
)

// lastWord gives what a supervisor says of its service: its status file, and where
// that contradicts itself or the journal, which has the service up, what the kernel
// knows. A full disk keeps the file as it was, or from being there.
func (d *Dir) lastWord(s Slot, st s6.Status, up bool) s6.Status {
	if st.Outdated() || up && !st.WantUp && !st.Up() {
		return s6.Verify(d.Servicedir(s), st)
	}
	return st
}

// startsAgain says of a service without a supervisor that it will have another one,
// which starts it.
func (d *Dir) startsAgain(s Slot) bool {
	dir := d.Servicedir(s)
	if _, err := os.Lstat(filepath.Join(dir, "down")); !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	// In the middle of a patch there are services that have no directory yet.
	if _, err := os.Lstat(dir); err != nil {
		return false
	}
	running, err := s6.Svscan{Dir: d.scandir}.Running()
	return err == nil && running
}

// FindRunning asks the kernel for the longruns that seem to be down, and changes
// the states of those that run nevertheless, which a full disk can hide. It takes
// longer than all else about the state of a service, so it is for who must not
// leave anything running.
func (d *Dir) FindRunning(states []ServiceState) {
	for i := range states {
		s := &states[i]
		if s.Type != db.Longrun || !s.Supervised || s.Up || s.Starting {
			continue
		}
		if st := s6.Verify(d.Servicedir(s.Slot), s.Status); st.Up() {
			s.Status, s.Up = st, true
		}
	}
}

// Runs reports whether something of a longrun runs, or is going to: its supervisor
// wants it up, or there will be one that does. What cannot be found out counts as
// yes. Like [Dir.FindRunning] it asks the kernel.
func (d *Dir) Runs(slot Slot) bool {
	dir := d.Servicedir(slot)
	supervised, err := s6.Supervised(dir)
	switch {
	case err != nil:
		return true
	case !supervised:
		return d.startsAgain(slot)
	}
	st, err := s6.ReadStatus(dir)
	if err != nil {
		return true
	}
	st = s6.Verify(dir, st)
	return st.PID != 0 || st.WantUp
}
