package update

import "strata/live"

// renaming is a longrun that is to get another name.
type renaming struct {
	live.Named
	to string
}

// renameStep gives who the name to; if swap is set, that has it now and gets who's.
type renameStep struct {
	who  live.Named
	to   string
	swap live.Named
}

// inverse takes a step back.
func (s renameStep) inverse() renameStep {
	back := renameStep{who: live.Named{Name: s.to, Slot: s.who.Slot}, to: s.who.Name}
	if s.swap.Slot != 0 {
		back.swap = live.Named{Name: s.who.Name, Slot: s.swap.Slot}
	}
	return back
}

// renameSteps orders renamings so that each new name is free when it is given:
// chains from their end, and a cycle is made shorter by an exchange.
func renameSteps(moves []renaming) []renameStep {
	var steps []renameStep
	pending := map[string]*renaming{}
	for k := range moves {
		if moves[k].Name != moves[k].to {
			pending[moves[k].Name] = &moves[k]
		}
	}
	for len(pending) > 0 {
		var blocked *renaming
		moved := false
		for k := range moves {
			m := &moves[k]
			if pending[m.Name] != m {
				continue
			}
			if pending[m.to] != nil {
				blocked = m
				continue
			}
			steps = append(steps, renameStep{who: m.Named, to: m.to})
			delete(pending, m.Name)
			moved = true
		}
		if moved {
			continue
		}
		other := pending[blocked.to]
		steps = append(steps, renameStep{who: blocked.Named, to: blocked.to, swap: other.Named})
		delete(pending, blocked.Name)
		delete(pending, other.Name)
		other.Name = blocked.Name
		if other.Name != other.to {
			pending[other.Name] = other
		}
	}
	return steps
}
