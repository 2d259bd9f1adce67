package holder

import (
	"golang.org/x/sys/unix"

	"strata/live"
	"strata/live/s6"
)

// CheckRoom says whether the limits under which the supervisor of the fd-holder
// runs keep it from having all pipes; the error is a [*live.RoomError] then. Where
// that cannot be found out they do not.
func CheckRoom(d *live.Dir) error {
	pid, err := s6.SupervisorPID(d.Servicedir(live.HolderSlot))
	if err != nil || pid == 0 {
		return nil
	}
	var limit unix.Rlimit
	if unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &limit) != nil {
		return nil
	}
	pipes, err := Pipes(d)
	if err != nil {
		return nil
	}
	_, err = live.HolderRoom(len(pipes), limit.Max)
	return err
}
