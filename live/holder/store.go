package holder

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"strata/live"
	"strata/live/runner"
	"strata/live/s6/fdholder"
)

// Dial connects to the fd-holder of a live directory.
func Dial(ctx context.Context, d *live.Dir) (*fdholder.Client, error) {
	path, done, err := runner.ShortPath(d.HolderSocket())
	if err != nil {
		return nil, err
	}
	defer done()
	return fdholder.Dial(ctx, path)
}

// Store gives the fd-holder these pipes, both ends of all of them at once: those of
// living members, and new ones where nobody is alive. warn is told of what went
// wrong and stopped nothing. If the fd-holder has no room the error says so, and
// nothing was stored.
func Store(ctx context.Context, c *fdholder.Client, d *live.Dir, pipes []Pipe, warn func(error)) error {
	s := newStock(d, warn)
	defer s.close()
	for _, p := range pipes {
		if err := s.get(p); err != nil {
			return err
		}
	}
	return s.put(ctx, c)
}

// Note notes a pipe that the fd-holder has, unless it is noted: an older version
// stored it, or there was no room for the note.
func Note(ctx context.Context, c *fdholder.Client, d *live.Dir, consumer live.Slot) error {
	if recorded(d, consumer) != "" {
		return nil
	}
	f, err := c.Retrieve(ctx, live.PipeReader(consumer), false)
	if err != nil {
		return err
	}
	defer f.Close()
	id, err := idOfFile(f)
	if err == nil {
		err = record(d, consumer, id)
	}
	if err != nil {
		return fmt.Errorf("cannot note which pipes the fd-holder has: %w", err)
	}
	return nil
}

// stock is pipes on their way into the fd-holder, by their consumers.
type stock struct {
	dir   *live.Dir
	owner int
	warn  func(error)
	pipes map[live.Slot]stocked
	// doubts are of processes that are not on a pipe that they belong on.
	doubts []doubt
}

type doubt struct {
	process holding
	err     error
}

type stocked struct {
	ends ends
	id   pipeID
}

func newStock(d *live.Dir, warn func(error)) *stock {
	s := &stock{dir: d, owner: os.Geteuid(), warn: warn, pipes: make(map[live.Slot]stocked)}
	var st unix.Stat_t
	if unix.Stat(d.Servicedir(live.HolderSlot), &st) == nil {
		s.owner = int(st.Uid)
	}
	return s
}

func (s *stock) close() {
	for _, p := range s.pipes {
		p.ends.close()
	}
}

// get takes a pipe from where it is, or makes one.
func (s *stock) get(p Pipe) error {
	e, id, alive, err := find(s.dir, p)
	if e.read == nil {
		for _, h := range alive {
			s.doubts = append(s.doubts, doubt{h, fmt.Errorf("the pipe into %s is a new one, and process %d of %s is not on it until it is restarted: %w",
				p.Consumer.Name, h.pid, h.member.Name, err)})
		}
		if e, id, err = newEnds(s.owner); err != nil {
			return fmt.Errorf("cannot get the pipe into %s: %w", p.Consumer.Name, err)
		}
	}
	s.pipes[p.Consumer.Slot] = stocked{e, id}
	return nil
}

// put stores everything, and notes what was stored.
func (s *stock) put(ctx context.Context, c *fdholder.Client) error {
	var all []fdholder.Held
	for slot, p := range s.pipes {
		all = append(all,
			fdholder.Held{ID: live.PipeReader(slot), File: p.ends.read},
			fdholder.Held{ID: live.PipeWriter(slot), File: p.ends.write})
	}
	if err := c.SetDump(ctx, all); err != nil {
		if errors.Is(err, unix.ENFILE) {
			err = fmt.Errorf("%w: it has no room for %d more pipes, but makes room for all of the database when it is started again (s6-svc -r %s)",
				err, len(s.pipes), s.dir.NamePath(live.Holder.Name))
		}
		return err
	}
	for slot, p := range s.pipes {
		if err := record(s.dir, slot, p.id); err != nil {
			s.warn(fmt.Errorf("cannot note which pipes the fd-holder has: %w", err))
			break // the others would fare no better
		}
	}
	for _, d := range s.doubts {
		// A process that only waited for its pipe has it now, or has ended.
		if d.process.lives(s.dir) && len(withPipe([]holding{d.process}, s.pipes[d.process.consumer].id)) == 0 {
			s.warn(d.err)
		}
	}
	return nil
}
