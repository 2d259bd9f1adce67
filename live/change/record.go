package change

import (
	"sync"

	"strata/live/journal"
)

// debts are records that could not be written when their time was, on a disk that was
// full for a moment: they are written before the next one, or at the end.
type debts struct {
	mu   sync.Mutex
	list []debt
}

type debt struct {
	cause  string
	events []journal.Event
}

// write writes what is owed, and then these events. What cannot be written is owed from
// then on, these events only if owe is set. A nil to records nothing.
func (d *debts) write(to func(cause string, events ...journal.Event) error, owe bool, cause string, events ...journal.Event) error {
	if to == nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	err := d.settle(to)
	if err == nil && len(events) > 0 {
		err = to(cause, events...)
	}
	if err != nil && owe {
		d.list = append(d.list, debt{cause, events})
	}
	return err
}

func (d *debts) settle(to func(cause string, events ...journal.Event) error) error {
	for len(d.list) > 0 {
		if err := to(d.list[0].cause, d.list[0].events...); err != nil {
			return err
		}
		d.list = d.list[1:]
	}
	return nil
}

// record writes to the journal. A record that cannot be written stops nothing: a
// full disk must not keep services up.
func (r *run) record(cause string, events ...journal.Event) {
	if err := r.owed.write(r.env.Journal, true, cause, events...); err != nil && r.result.Journal == nil {
		r.result.Journal = err
	}
}

// settle writes at the end what could not be written before. If that works, there was
// nothing.
func (r *run) settle() {
	if r.result.Journal != nil && r.owed.write(r.env.Journal, false, "") == nil {
		r.result.Journal = nil
	}
}
