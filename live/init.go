package live

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"strata/compile/db"
	"strata/internal/failpoint"
	"strata/live/journal"
	"strata/live/s6"
)

// InitOptions is what [Init] takes.
type InitOptions struct {
	DB      string // the compiled database: a file, or a directory with a file db
	Live    string // where the live directory is to be, absolute
	Scandir string // what s6-svscan watches, absolute
	Prefix  string // what our names in the scandir begin with
	// Program is the absolute path of the multi-call binary, which the internal
	// services execute.
	Program string
	// Timeout limits the wait for all supervisors; 0 is no limit, but that something
	// has to happen every [s6.DefaultStall].
	Timeout time.Duration
	Block   bool // wait for another init of the same directory
	// Tool names the maker in the name of the real directory: LIVE:TOOL:DIGITS. Empty
	// is "strata".
	Tool string
	// Lenient makes what others could write to a warning and no error, as s6-rc has
	// it. Warn is given warnings; nil drops them.
	Lenient bool
	Warn    func(string)
	// Hooks are for tests.
	Hooks failpoint.Hooks
}

// InitResult says what [Init] found or made.
type InitResult struct {
	Real     string // the real live directory
	Existing bool   // a live directory was in use already, and was completed if need be
	// Patched is set with Existing if a patch is half applied there and something is
	// up: nothing was touched (see [ErrHalfApplied]).
	Patched bool
}

// Init makes a live directory for a database, with a supervisor for each longrun
// and every service down, and links it to o.Live.
//
// It can be repeated: a directory that is in use, for the same scandir, prefix and
// database, is completed where an earlier call was killed and else left alone. What
// belongs to an earlier life of the supervision tree is not believed, and replaced.
// So is a directory, for whichever database, in which a patch is half applied and
// nothing is up.
// Anything that is not a live directory is left alone, and an error.
//
// Errors wrap [ErrUsage], [s6.ErrNotRunning], [ErrMismatch], [s6.ErrStalled],
// [db.ErrCorrupt] and [db.ErrFormat], [*BusyError], context.DeadlineExceeded, or what
// the system said. After an error nothing that was made is left.
func Init(ctx context.Context, o InitOptions) (InitResult, error) {
	r, err := doInit(ctx, o)
	if err != nil {
		return InitResult{}, fmt.Errorf("cannot initialise live directory %s: %w", o.Live, err)
	}
	return r, nil
}

func doInit(ctx context.Context, o InitOptions) (InitResult, error) {
	if o.Tool == "" {
		o.Tool = "strata"
	}
	if err := o.check(); err != nil {
		return InitResult{}, err
	}
	in := &initer{InitOptions: o}
	if err := in.findSvscan(); err != nil {
		return InitResult{}, err
	}
	defer in.removeParents()
	if err := in.findParent(); err != nil {
		return InitResult{}, err
	}
	unlock, err := lockBeside(ctx, in.lockPath(), o.Block)
	if err != nil {
		return InitResult{}, err
	}
	defer unlock()
	database, err := in.openDatabase()
	if err != nil {
		return InitResult{}, err
	}
	defer database.Close()
	if o.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.Timeout)
		defer cancel()
	}
	if r, done, err := in.useExisting(ctx, database.Content()); done || err != nil {
		return r, err
	}
	if err := in.lookAhead(database); err != nil {
		return InitResult{}, err
	}
	return in.build(ctx, database)
}

// initer is one call of Init.
type initer struct {
	InitOptions
	parent string // the real path of the directory that holds Live
	made   string // the uppermost directory that was made for parent, or empty
	epoch  journal.Epoch
}

// live is the path of the link, without links before its last element.
func (in *initer) live() string { return filepath.Join(in.parent, filepath.Base(in.Live)) }

func (in *initer) lockPath() string {
	return filepath.Join(in.parent, "."+filepath.Base(in.Live)+".init-lock")
}

// realPrefix begins the names of real directories beside the link, whoever made
// them.
func (in *initer) realPrefix() string { return filepath.Base(in.Live) + ":" }

func (in *initer) warn(format string, args ...any) {
	if in.Warn != nil {
		in.Warn(fmt.Sprintf(format, args...))
	}
}

// build makes a new directory and brings its supervisors up.
func (in *initer) build(ctx context.Context, database *db.DB) (InitResult, error) {
	real, err := os.MkdirTemp(in.parent, in.realPrefix()+in.Tool+":*")
	if err != nil {
		return InitResult{}, err
	}
	d, list, err := in.fill(real, database)
	if err != nil {
		return InitResult{}, errors.Join(err, removeTree(real))
	}
	// From here on readers see it; a kill leaves a directory that a second call
	// completes.
	if err = in.Hooks.Hit("switch"); err == nil {
		err = replaceLink(filepath.Base(real), in.live())
	}
	if err == nil {
		err = in.supervise(ctx, d, list)
	}
	if err != nil {
		return InitResult{}, errors.Join(err, in.takeBack(d))
	}
	return InitResult{Real: real}, nil
}

// supervise waits for the supervisors of the longruns. An end of the time limit
// is told apart from other ends of ctx.
func (in *initer) supervise(ctx context.Context, d *Dir, list []Named) error {
	if err := in.Hooks.Hit("supervise"); err != nil {
		return err
	}
	return s6.Link(ctx, d.scandir, d.entries(list), s6.DefaultStall)
}

// takeBack removes a directory whose supervisors did not come: s6.Link has taken
// its links out of the scandir.
func (in *initer) takeBack(d *Dir) error {
	var err error
	if target, e := os.Readlink(in.live()); e == nil && target == filepath.Base(d.real) {
		err = os.Remove(in.live())
	}
	return errors.Join(err, removeTree(d.real))
}

// fill writes the directory and gives the longruns to supervise.
func (in *initer) fill(real string, database *db.DB) (*Dir, []Named, error) {
	if err := os.Chmod(real, 0o755); err != nil {
		return nil, nil, err
	}
	// First, since it says whose directory this is.
	if err := writeText(filepath.Join(real, "format"), Format); err != nil {
		return nil, nil, err
	}
	for _, name := range []string{"db", "sv", "defs", "servicedirs", "requests"} {
		perm := os.FileMode(0o755)
		if name == "requests" {
			perm = 0o700
		}
		if err := mkdir(filepath.Join(real, name), perm); err != nil {
			return nil, nil, err
		}
	}
	if err := makeFifodir(filepath.Join(real, "event")); err != nil {
		return nil, nil, err
	}
	if err := in.Hooks.Hit("directories"); err != nil {
		return nil, nil, err
	}
	info, _, err := db.Copy(in.DB, filepath.Join(real, "db"))
	if err != nil {
		return nil, nil, err
	}
	if info.Content != database.Content() {
		return nil, nil, fmt.Errorf("database %s was replaced meanwhile", in.DB)
	}
	if err := os.Symlink(compiledTarget(info.Content), filepath.Join(real, "compiled")); err != nil {
		return nil, nil, err
	}
	if err := os.Symlink(in.Scandir, filepath.Join(real, "scandir")); err != nil {
		return nil, nil, err
	}
	if err := writeText(filepath.Join(real, "prefix"), in.Prefix); err != nil {
		return nil, nil, err
	}
	d := &Dir{path: in.live(), real: real, scandir: in.Scandir, prefix: in.Prefix}
	list, err := in.services(d, database)
	return d, list, err
}

// writeText writes a file that everyone may read, whatever the umask.
func writeText(path, text string) error {
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		return err
	}
	return os.Chmod(path, 0o644)
}

// services makes the service directories, the journal and what goes with it.
func (in *initer) services(d *Dir, database *db.DB) ([]Named, error) {
	v := View{DB: database, Table: make(journal.Table, database.Len())}
	for i := range v.Table {
		id := db.ServiceID(i)
		v.Table[i] = journal.Entry{Slot: FirstSlot + Slot(i), Name: database.Name(id), Type: database.Type(id)}
	}
	if err := in.makeAll(d, v); err != nil {
		return nil, err
	}
	if err := in.Hooks.Hit("journal"); err != nil {
		return nil, err
	}
	first := journal.Init{Epoch: in.epoch, Content: database.Content(), Table: v.Table, NextSlot: FirstSlot + Slot(len(v.Table))}
	if err := journal.Create(d.JournalPath(), first); err != nil {
		return nil, err
	}
	var known journal.Folder
	known.Apply(journal.Record{Seq: 1, Event: first})
	if err := errors.Join(writeSummary(d, &known), d.WriteStopOrder(v)); err != nil {
		return nil, err
	}
	return longruns(v.Table), nil
}

// makeAll makes what each service, internal ones included, needs on disk.
func (in *initer) makeAll(d *Dir, v View) error {
	o := internalOptions{program: in.Program, real: d.real}
	for _, internal := range Internals() {
		if err := makeInternal(d, internal, o); err != nil {
			return err
		}
	}
	for i, e := range v.Table {
		if err := in.Hooks.Hit("service"); err != nil {
			return err
		}
		if err := makeServicedir(d, v, db.ServiceID(i)); err != nil {
			return fmt.Errorf("cannot make service %s: %w", e.Name, err)
		}
		if e.Type != db.Longrun {
			continue
		}
		if err := linkName(d, Named{e.Name, e.Slot}); err != nil {
			return err
		}
	}
	return nil
}

// longruns are those of the table, and the internal ones.
func longruns(t journal.Table) []Named {
	var list []Named
	for _, internal := range Internals() {
		list = append(list, Named(internal))
	}
	for _, e := range t {
		if e.Type == db.Longrun {
			list = append(list, Named{e.Name, e.Slot})
		}
	}
	return list
}

// check refuses parameters that cannot be right.
func (o InitOptions) check() error {
	err := checkNames(o.Scandir, o.Prefix)
	switch {
	case err != nil:
	case !filepath.IsAbs(o.Live):
		err = fmt.Errorf("live directory %q is not an absolute path", o.Live)
	case filepath.Base(o.Live) == "/" || strings.ContainsAny(o.Live, "\n\x00"):
		err = fmt.Errorf("%q cannot be a live directory", o.Live)
	case !filepath.IsAbs(o.Program):
		err = fmt.Errorf("program %q is not an absolute path", o.Program)
	case o.Timeout < 0:
		err = fmt.Errorf("timeout %v is negative", o.Timeout)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUsage, err)
	}
	return nil
}
