package holder

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"strata/live"
	"strata/live/s6"
)

// holding is a process of a member, which should have a pipe.
type holding struct {
	member   Member
	consumer live.Slot // of the pipe
	pid      int
	link     string // in /proc: the descriptor that is the pipe, or should be
}

// find opens the pipe of living members. It gives no ends if none of them has it
// for certain; err says why, and alive are the processes that there are: they have
// to be restarted to meet on a new pipe.
func find(d *live.Dir, p Pipe) (e ends, id pipeID, alive []holding, err error) {
	alive = living(d, p)
	id = recorded(d, p.Consumer.Slot)
	found := withPipe(alive, id)
	if len(found) == 0 {
		id, found = agreed(alive, p.Consumer)
	}
	err = errors.New("it is not known which pipe they are on")
	for _, h := range found {
		if e, err = reopen(h.link, id); err == nil {
			return e, id, alive, nil
		}
	}
	return ends{}, "", alive, err
}

// living gives the processes of the members, the consumer's first. That of a
// finish counts too: it has the same pipes.
func living(d *live.Dir, p Pipe) []holding {
	var alive []holding
	add := func(m Member, fd string) {
		st, err := s6.ReadStatus(d.Servicedir(m.Slot))
		if err == nil && st.PID != 0 {
			alive = append(alive, holding{m, p.Consumer.Slot, st.PID, filepath.Join("/proc", strconv.Itoa(st.PID), "fd", fd)})
		}
	}
	add(p.Consumer, "0")
	for _, m := range p.Producers {
		add(m, "1")
	}
	return alive
}

// lives reports whether the process is still that of its member.
func (h holding) lives(d *live.Dir) bool {
	st, err := s6.ReadStatus(d.Servicedir(h.member.Slot))
	return err == nil && st.PID == h.pid
}

// withPipe gives the processes that have the pipe, by whichever descriptor. A
// descriptor that cannot be looked at is not one of it.
func withPipe(alive []holding, id pipeID) []holding {
	if id == "" {
		return nil
	}
	var found []holding
	for _, h := range alive {
		links := []string{h.link}
		if dir, err := os.ReadDir(filepath.Dir(h.link)); err == nil {
			for _, e := range dir {
				links = append(links, filepath.Join(filepath.Dir(h.link), e.Name()))
			}
		}
		i := slices.IndexFunc(links, func(link string) bool {
			got, err := idOf(link)
			return err == nil && got == id
		})
		if i >= 0 {
			h.link = links[i]
			found = append(found, h)
		}
	}
	return found
}

// agreed gives the pipe that the consumer reads and a producer writes to. Two
// producers prove nothing: the log of the tree may be a pipe too.
func agreed(alive []holding, consumer Member) (pipeID, []holding) {
	if len(alive) == 0 || alive[0].member != consumer {
		return "", nil
	}
	id, err := idOf(alive[0].link)
	if err != nil || id == "" {
		return "", nil
	}
	for _, h := range alive[1:] {
		if got, err := idOf(h.link); err == nil && got == id {
			return id, []holding{alive[0], h}
		}
	}
	return "", nil
}
