package live

import "strata/live/journal"

// StatesSince gives the states of the services of a table, which is that of the current
// database. Those that were asked before, by [Writer.State], and that nobody has touched
// since are not asked again; before is in the order of a table, too, and is not to be
// used any more. What is found other than the journal has it becomes its truth, as there.
func (w *Writer) StatesSince(before []ServiceState, t journal.Table, touched []Slot) ([]ServiceState, error) {
	again := make(map[Slot]bool, len(touched))
	for _, slot := range touched {
		again[slot] = true
	}
	a, err := w.ask(new(presence))
	if err != nil {
		return nil, err
	}
	defer a.close()
	states, asked := inOrder(before, t), []ServiceState(nil)
	w.journal.With(func(known *journal.Folder) {
		for i, e := range t {
			if states[i].Slot == e.Slot && !again[e.Slot] {
				continue
			}
			if err = a.service(&states[i], e, known.Service(e.Slot)); err != nil {
				return
			}
			asked = append(asked, states[i])
		}
	})
	if err == nil {
		w.observed(asked)
	}
	return states, err
}

// inOrder puts states into the order of a table. A service that is not among them, or
// has another slot now, gets none. Mostly the order is the same already.
func inOrder(before []ServiceState, t journal.Table) []ServiceState {
	same := len(before) == len(t)
	for i := 0; same && i < len(t); i++ {
		same = before[i].Slot == t[i].Slot && before[i].Name == t[i].Name
	}
	if same {
		return before
	}
	states := make([]ServiceState, len(t))
	for i, e := range t {
		for len(before) > 0 && before[0].Name < e.Name {
			before = before[1:]
		}
		if len(before) > 0 && before[0].Name == e.Name && before[0].Slot == e.Slot {
			states[i] = before[0]
		}
	}
	return states
}
