package watch

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"strata/live/journal"
	"strata/live/s6"
)

// next waits for news, which must come.
func next(t *testing.T, f *Feed) []Letter {
	t.Helper()
	letters, err := f.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return letters
}

func TestFeed(t *testing.T) {
	m := newMachine(t)
	for name, open := range map[string]func(*Feed) error{"fifodir": (*Feed).subscribe, "inotify": (*Feed).notice} {
		f := newFeed(m.dir)
		if err := open(f); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		m.append("", journal.Want{})
		next(t, f)
		ended, cancel := context.WithCancelCause(t.Context())
		cancel(errors.ErrUnsupported)
		if _, err := f.Next(ended); err != nil && !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: after the end: %v", name, err)
		}
		if err := f.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFeedLetters(t *testing.T) {
	m := newMachine(t)
	f, err := Open(m.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if deaf, err := f.Listen(m.slots["b"], m.slots["b"]); deaf != 0 || err != nil {
		t.Fatalf("%d, %v", deaf, err)
	}
	m.control("b", s6.GoalUpReady(), s6.CmdUp)
	var got []s6.Event
	for !slices.Contains(got, s6.EventReady) {
		for _, l := range next(t, f) {
			if l.Slot != m.slots["b"] {
				t.Errorf("a letter of %d", l.Slot)
			}
			got = append(got, l.Event)
		}
	}
	if !slices.Equal(got, []s6.Event{s6.EventUp, s6.EventReady}) {
		t.Errorf("%q", got)
	}
}

// What there are no descriptors for is counted.
func TestFeedWindow(t *testing.T) {
	m := newMachine(t)
	f, err := Open(m.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.room = 1
	if deaf, err := f.Listen(m.slots["a"], m.slots["b"], m.slots["c"]); deaf != 2 || err != nil {
		t.Errorf("deaf to %d, %v", deaf, err)
	}
}

// limited is a context for what must end by itself long before.
func limited(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, errors.New("it does not end"))
	t.Cleanup(cancel)
	return ctx
}
