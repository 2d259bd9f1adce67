package live

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"strata/live/s6"
)

// Observation says, for people, how a longrun came to differ from the journal: as
// precisely as s6's files do, if it was read from a live directory.
//
// They do not say everything. A daemon whose finish exits 125 is not started again,
// and neither is one that was told to stop: both leave a status that is the same but
// for how the daemon ended, and no file says which it was. So a permanent failure
// that no command of ours was there to see is none for us: the service is down, how
// it ended and how often is told, and the next start tries again.
func (s ServiceState) Observation() string {
	switch {
	case s.Found != "":
		return s.Found
	case s.Up:
		return "found running"
	case !s.Supervised:
		return "its supervisor is gone"
	case s.Status.NotStarted():
		return "found not started"
	default:
		return "found down: " + s.Status.Wait.String()
	}
}

// observe fills in what an observation takes from elsewhere than the status.
func (d *Dir) observe(s *ServiceState) {
	dir := d.Servicedir(s.Slot)
	text := s.Observation()
	switch {
	case s.Up:
	case !s.Supervised:
		// Its last word is old, but not wrong about a process that is there.
		if st, err := s6.ReadStatus(dir); err == nil && st.PID != 0 && !st.Outdated() {
			text += fmt.Sprintf(", and process %d, which it had started, runs on", st.PID)
		}
	case s.Status.NotStarted():
		text += ": its supervisor is a new one"
	default:
		text += d.howItEnded(dir, s.Status)
	}
	s.Found = text
}

// howItEnded is what is known of an end but the wait status.
func (d *Dir) howItEnded(dir string, st s6.Status) string {
	var text string
	if deaths, err := s6.ReadDeaths(dir); err == nil && len(deaths) > 1 {
		text = fmt.Sprintf(", the last of %d deaths", len(deaths))
	}
	if st.Finishing {
		return text + ", and its finish is running"
	}
	if _, err := os.Stat(filepath.Join(dir, "finish")); !errors.Is(err, os.ErrNotExist) {
		// Without one, somebody told it to stop.
		text += ", and its finish gave it up or somebody stopped it"
	}
	return text
}

// movedAt is when a longrun went up or down by its own status, zero if that does not
// say.
func movedAt(st s6.Status) time.Time {
	if st.Stamp == (s6.Stamp{}) {
		return time.Time{}
	}
	return st.Stamp.Time()
}
