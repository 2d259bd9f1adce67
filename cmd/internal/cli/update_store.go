package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"

	"github.com/spf13/pflag"

	"strata/cmd/internal/ui"
	"strata/compile/db"
	"strata/live"
	"strata/live/journal"
	"strata/update"
	"strata/update/generation"
)

// defaultKept is how many generations are left if nobody says otherwise.
const defaultKept = 5

// storeFlags say what an update does to the store of installed databases.
type storeFlags struct {
	path     string
	install  bool
	rollback stepsFlag
	keep     int
}

func (o *storeFlags) register(f *pflag.FlagSet) {
	f.BoolVar(&o.install, "install", false, "keep NEWDB in the store, and make it the current generation once it is live")
	f.Var(&o.rollback, "rollback", "update to the generation that was current `N` steps before")
	f.Lookup("rollback").NoOptDefVal = "1"
	registerStore(f, &o.path)
	registerKept(f, &o.keep)
}

func registerStore(f *pflag.FlagSet, path *string) {
	f.StringVar(path, "store", filepath.Dir(defaultCompiled), "the `DIRECTORY` of installed databases")
}

func registerKept(f *pflag.FlagSet, keep *int) {
	f.IntVar(keep, "generations", defaultKept, "leave at most `N` generations in the store; 0 is all")
}

// on says that the store has a part in the update.
func (o *storeFlags) on() bool { return o.install || o.rollback.on }

// check refuses what does not go together, and takes the N of --rollback N, which is
// an argument to the flags' parser.
func (o *storeFlags) check(f *pflag.FlagSet, args *[]string) error {
	switch {
	case o.install && o.rollback.on:
		return usagef("cannot do both: --install and --rollback exclude each other")
	case !o.on() && (f.Changed("store") || f.Changed("generations")):
		return usagef("--store and --generations go with --install or --rollback")
	case o.keep < 0:
		return usagef("--generations wants a number, or 0 for all")
	case o.rollback.on && len(*args) > 0:
		if err := o.rollback.Set((*args)[0]); err != nil {
			return usagef("--rollback takes a number of generations, and not %q; to put a database into the store there is --install", (*args)[0])
		}
		*args = (*args)[1:]
	}
	return nil
}

// stepsFlag is a number of generations to go back.
type stepsFlag struct {
	on bool
	n  int
}

func (n *stepsFlag) String() string { return strconv.Itoa(n.n) }
func (n *stepsFlag) Type() string   { return "N" }

// Set reads a value.
func (n *stepsFlag) Set(text string) error {
	v, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return errors.New("want how many generations to go back: 1, or more")
	}
	n.on, n.n = true, int(v)
	return nil
}

// storeTarget is what an update is to do to the store.
type storeTarget struct {
	storeFlags
	move *generation.Move // of a rollback
	to   db.Digest
}

// target finds the database to update to: newdb, or the generation to go back to.
func (o *storeFlags) target(s ui.Streams, newdb string) (string, storeTarget, error) {
	t := storeTarget{storeFlags: *o}
	if !o.on() {
		return newdb, t, nil
	}
	store, err := openStore(s, o.path)
	if err != nil || o.install {
		return newdb, t, err
	}
	if t.move, t.to, err = store.GoingBack(o.rollback.n, o.keep); err != nil {
		return "", t, err
	}
	return store.File(t.to), t, nil
}

// hint says what changes the store where nothing runs.
func (o *storeFlags) hint(err error) error {
	switch {
	case !errors.Is(err, live.ErrNoLive):
		return err
	case o.install:
		return fmt.Errorf("%w: rc-store install changes the store alone", err)
	case o.rollback.on:
		return fmt.Errorf("%w: rc-store rollback changes the store alone", err)
	}
	return err
}

// openStore is the store at a path. Root does not use one that others can write to.
func openStore(s ui.Streams, path string) (generation.Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return generation.Store{}, err
	}
	if err := lenient(s, live.Trust(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return generation.Store{}, fmt.Errorf("cannot use store: %w", err)
	}
	return generation.Store{Path: path}, nil
}

// into makes the store a part of the patch.
func (t storeTarget) into(p *update.Patch) error {
	if !t.on() {
		return nil
	}
	return p.MoveStore(generation.Store{Path: t.path}, t.move, t.keep)
}

// moveUnderWay is what becomes of the store by the patch p, or, if the command has none,
// by the one that is under way.
func moveUnderWay(d *live.Dir, under *journal.Patch, p *update.Patch) *generation.Move {
	if p == nil && under != nil {
		if text, err := d.KeptPatch(under.Patch); err == nil {
			p, _ = update.ParsePatch(text)
		}
	}
	if p == nil {
		return nil
	}
	return p.Store
}

// tellStore says what has become of the store.
func tellStore(s ui.Streams, m *generation.Move) {
	if m != nil && m.From != m.To && m.Done() {
		s.Printf("%s\n", ui.Escape(moveText(m)))
	}
}

// moveText says what becomes of the store.
func moveText(m *generation.Move) string {
	was := ""
	if m.From != "" {
		was = ", and not to " + m.Short(m.From)
	}
	return fmt.Sprintf("%s leads to %s%s", filepath.Join(m.Path, "current"), m.Short(m.To), was)
}
