package rescue

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"strata/live"
	"strata/live/change"
	"strata/live/change/tree"
	"strata/live/journal"
	"strata/live/runner"
	"strata/live/s6"
)

// Helps reports whether everything can perhaps be stopped though the ordinary way
// to do it ended with err: something is damaged, missing, or of another release. A
// lock that is held, an unknown name, a missing permission, an s6-svscan that is
// gone and a directory of an earlier life of the tree are what they are.
func Helps(err error) bool {
	var busy *live.BusyError
	var name *tree.NameError
	if err == nil || errors.As(err, &busy) || errors.As(err, &name) {
		return false
	}
	for _, no := range []error{
		live.ErrUntrusted, live.ErrStale, s6.ErrNotRunning, fs.ErrPermission,
		change.ErrInterrupted, context.Canceled, context.DeadlineExceeded,
	} {
		if errors.Is(err, no) {
			return false
		}
	}
	return true
}

// Session is one full stop.
type Session struct {
	// Gaps says what is not known and what follows from that, for people.
	Gaps []string

	dir      *live.Dir
	sup      *supervisor
	lock     io.Closer
	w        *live.Writer // nil if the journal cannot be written
	services []service
}

// Open takes the lock of a live directory, of [live.Open] or [live.OpenDamaged], as
// [live.Dir.Lock] does, and finds out what is to be stopped. The supervisor stays
// the caller's.
func Open(ctx context.Context, d *live.Dir, sup *tree.Supervisor, block bool) (*Session, error) {
	s := &Session{dir: d, sup: &supervisor{Supervisor: sup, dir: d, down: map[live.Slot]runner.Program{}}}
	if err := s.hold(ctx, block); err != nil {
		return nil, err
	}
	if err := s.learn(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// hold takes the lock, with the journal if that can be written.
func (s *Session) hold(ctx context.Context, block bool) error {
	w, err := s.dir.Lock(ctx, block)
	if err == nil {
		s.w, s.lock = w, w
		return nil
	}
	if !Helps(err) {
		return err
	}
	s.lock, err = s.dir.Hold(ctx, block)
	return err
}

// Close gives the lock back.
func (s *Session) Close() error { return s.lock.Close() }

func (s *Session) gap(format string, args ...any) {
	s.Gaps = append(s.Gaps, fmt.Sprintf(format, args...))
}

// learn puts together what is there and what of it is up.
func (s *Session) learn() error {
	order, err := s.dir.StopOrder()
	if err != nil {
		s.gap("the order in which to stop is not known either (%v)", err)
	}
	known := s.known()
	epoch := known.epoch
	if epoch == (journal.Epoch{}) {
		epoch = order.Epoch
	}
	if epoch != (journal.Epoch{}) && s.dir.Scandir() != "" {
		if err := s.dir.CheckEpoch(epoch); err != nil {
			return err
		}
	}
	for _, sv := range order.Services {
		s.add(sv, known)
	}
	if err := s.addStrays(known); err != nil {
		return err
	}
	if known.oneshots == nil && len(order.Services) > 0 {
		s.gap("which oneshots are up is not known: the down programs of all are run")
	}
	return nil
}
