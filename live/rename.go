package live

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Renaming gives the longrun with a slot another name.
type Renaming struct {
	Slot Slot
	To   string
}

// Rename gives longruns, supervised or not, other names, in servicedirs and in the
// scandir, without anybody noticing: s6-svscan knows a service by its directory. The
// names may be those of others in the list, in chains and cycles; at every moment
// each of them has exactly one. To repeat it is no error, and what a killed writer
// began is completed, or taken back by renaming to the old names: it begins with the
// names that there are. s6-svscan is told with the next Supervise, Unsupervise,
// SwitchCompiled or Close.
func (w *Writer) Rename(list []Renaming) error {
	if len(list) == 0 {
		return nil
	}
	for _, r := range list {
		if err := checkName(r.To); err != nil {
			return err
		}
	}
	for _, n := range []names{
		{filepath.Join(w.real, "servicedirs"), "", func(s Slot) string { return "../sv/" + slotName(s) }},
		{w.scandir, w.prefix, w.Servicedir},
	} {
		moves, err := n.moves(list)
		if err != nil {
			return fmt.Errorf("cannot rename services: %w", err)
		}
		for _, s := range renameSteps(moves) {
			if err := w.Hooks.Hit("rename"); err != nil {
				return err
			}
			if err := n.do(s); err != nil {
				return err
			}
		}
	}
	w.renamed = true
	return nil
}

// names is a directory of links to service directories.
type names struct {
	dir, prefix string
	target      func(Slot) string
}

// moves finds out which names have to change.
func (n names) moves(list []Renaming) ([]move, error) {
	to := make(map[string]string, len(list)) // by link target
	for _, r := range list {
		to[n.target(r.Slot)] = r.To
	}
	entries, err := os.ReadDir(n.dir)
	if err != nil {
		return nil, err
	}
	var moves []move
	for _, e := range entries {
		name, ours := strings.CutPrefix(e.Name(), n.prefix)
		if !ours || e.Type()&os.ModeSymlink == 0 {
			continue
		}
		target, err := os.Readlink(filepath.Join(n.dir, e.Name()))
		if err != nil {
			return nil, err
		}
		if new, listed := to[target]; listed && new != name {
			moves = append(moves, move{from: name, to: new})
		}
	}
	return moves, nil
}

func (n names) do(s renameStep) error {
	flag := uint(unix.RENAME_NOREPLACE)
	if s.exchange {
		flag = unix.RENAME_EXCHANGE
	}
	path := func(name string) string { return filepath.Join(n.dir, n.prefix+name) }
	if err := unix.Renameat2(unix.AT_FDCWD, path(s.from), unix.AT_FDCWD, path(s.to), flag); err != nil {
		return fmt.Errorf("cannot rename service %s to %s: %w", s.from, s.to, err)
	}
	return nil
}

// move is a name that is to become another one.
type move struct{ from, to string }

// renameStep is one call of rename. With exchange, whoever has the new name gets the
// old one.
type renameStep struct {
	from, to string
	exchange bool
}

// renameSteps orders moves so that each new name is free when it is given: chains
// from their end, and a cycle is made shorter by an exchange.
func renameSteps(moves []move) []renameStep {
	var steps []renameStep
	pending := map[string]*move{}
	for k := range moves {
		if moves[k].from != moves[k].to {
			pending[moves[k].from] = &moves[k]
		}
	}
	for len(pending) > 0 {
		var blocked *move
		moved := false
		for k := range moves {
			m := &moves[k]
			if pending[m.from] != m {
				continue
			}
			if pending[m.to] != nil {
				blocked = m
				continue
			}
			steps = append(steps, renameStep{from: m.from, to: m.to})
			delete(pending, m.from)
			moved = true
		}
		if moved {
			continue
		}
		other := pending[blocked.to]
		steps = append(steps, renameStep{blocked.from, blocked.to, true})
		delete(pending, blocked.from)
		delete(pending, other.from)
		other.from = blocked.from
		if other.from != other.to {
			pending[other.from] = other
		}
	}
	return steps
}
