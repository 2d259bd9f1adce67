package live

import "strata/live/journal"

// StatesSince gives the states of the services of a table, which is that of the current
// database. Those that were asked before, by [Writer.State], and that nobody has touched
// since are not asked again; before is in the order of a table, too. What is found other
// than the journal has it becomes its truth, as there.
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
	states, asked := make([]ServiceState, len(t)), []ServiceState(nil)
	w.journal.With(func(known *journal.Folder) {
		rest := before // both are in the order of names
		for i, e := range t {
			for len(rest) > 0 && rest[0].Name < e.Name {
				rest = rest[1:]
			}
			if len(rest) > 0 && rest[0].Name == e.Name && rest[0].Slot == e.Slot && !again[e.Slot] {
				states[i] = rest[0]
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
