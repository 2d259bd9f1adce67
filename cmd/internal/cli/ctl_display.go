package cli

import (
	"sync"
	"time"

	"strata/cmd/internal/ui"
	"strata/compile/db"
	"strata/live/change"
)

// display shows the progress of a run while it goes on: on a terminal an area, else
// now and then a line about what takes long.
type display struct {
	s       ui.Streams
	status  *ui.Status // nil if there is no terminal
	asking  map[change.ID]bool
	stopped chan struct{}
	ticking sync.WaitGroup
}

// remind is how often it is looked whether there is something to be reminded of.
const remind = time.Second

func newDisplay(s ui.Streams, area, reminders func(now time.Time) []string) *display {
	d := &display{s: s, asking: make(map[change.ID]bool), stopped: make(chan struct{})}
	if t := ui.StatusTerminal(); t != nil {
		d.status = ui.NewStatus(t, func() (int, int) { return ui.TerminalSize(t) }, func() []string {
			return escapeAll(area(time.Now()))
		})
		return d
	}
	d.ticking.Go(func() { d.tick(reminders) })
	return d
}

func (d *display) tick(reminders func(time.Time) []string) {
	t := time.NewTicker(remind)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			for _, line := range escapeAll(reminders(time.Now())) {
				d.s.Errorf("%s", line)
			}
		case <-d.stopped:
			return
		}
	}
}

// streams are those on which lines are to be printed.
func (d *display) streams(s ui.Streams) ui.Streams {
	if d.status != nil {
		s.Err = d.status
	}
	return s
}

// asks keeps the terminal free while a oneshot that talks to a person runs.
func (d *display) asks(e change.Event, asks func(change.Target) bool) {
	id := e.Target.ID
	switch {
	case d.status == nil || e.Target.Type != db.Oneshot:
	case e.Kind == change.Began && asks(e.Target):
		d.asking[id] = true
		d.status.Pause()
	case e.Kind != change.Began && d.asking[id]:
		delete(d.asking, id)
		d.status.Resume()
	}
}

func (d *display) close() {
	close(d.stopped)
	d.ticking.Wait()
	if d.status != nil {
		d.status.Close()
	}
}

func escapeAll(lines []string) []string {
	for i := range lines {
		lines[i] = ui.Escape(lines[i])
	}
	return lines
}
