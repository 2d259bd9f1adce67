package live

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"strata/compile/db"
	"strata/live/servicedir"
)

// internalOptions is what the internal services' templates take.
type internalOptions struct {
	program string // the absolute path of this multi-call binary
	real    string // the real live directory
	pipes   int    // of the database
}

// tree renders the internal service with this slot.
func (o internalOptions) tree(s Slot) servicedir.Tree {
	if s == RunnerSlot {
		return runnerTree(o)
	}
	return holderTree(o)
}

// RunnerCommand is the sub-command of the binary that the runner executes. It is
// followed by --fd N, the descriptor on which to say that it is ready, and the
// real live directory.
const RunnerCommand = "oneshot-runner"

// runnerTree is the runner's service directory. A oneshot it has started must
// not die with it unheard, so it may take its time to end.
func runnerTree(o internalOptions) servicedir.Tree {
	run := "#!/bin/sh\nexec 2>&1\nexec " + servicedir.Quote(o.program) + " " + RunnerCommand + " --fd 3 " + servicedir.Quote(o.real) + "\n"
	return servicedir.Tree{
		file("notification-fd", 0o644, "3\n"),
		file("run", 0o755, run),
	}
}

// pipePattern matches the identifiers that the holder takes.
const pipePattern = "^pipe:strata-"

// holderTree is the service directory of the fd-holder: s6's own, for root and
// the tree's owner alone.
func holderTree(o internalOptions) servicedir.Tree {
	// Room for the pipes of later databases too: an update does not restart it.
	fds := max(1000, 8*o.pipes)
	run := fmt.Sprintf("#!/bin/sh\nulimit -S -n \"$(ulimit -H -n)\" 2>/dev/null\nexec s6-fdholder-daemon -1 -c 250 -n %d -i data/rules -- s\n", fds)
	env := "data/rules/uid/0/env"
	return servicedir.Tree{
		dir("data"),
		dir("data/rules"),
		dir("data/rules/gid"),
		dir("data/rules/gid/0"),
		file("data/rules/gid/0/allow", 0o644, ""),
		link("data/rules/gid/0/env", "../../uid/0/env"),
		dir("data/rules/uid"),
		dir("data/rules/uid/0"),
		file("data/rules/uid/0/allow", 0o644, ""),
		dir(env),
		file(env+"/S6_FDHOLDER_GETDUMP", 0o644, "\n"),
		file(env+"/S6_FDHOLDER_LIST", 0o644, "\n"),
		link(env+"/S6_FDHOLDER_RETRIEVE_REGEX", "S6_FDHOLDER_STORE_REGEX"),
		file(env+"/S6_FDHOLDER_SETDUMP", 0o644, "\n"),
		file(env+"/S6_FDHOLDER_STORE_REGEX", 0o644, pipePattern+"\n"),
		link("data/rules/uid/self", "0"),
		file("notification-fd", 0o644, "1\n"),
		file("run", 0o755, run),
	}
}

func file(path string, mode uint32, content string) servicedir.File {
	return servicedir.File{Path: path, Kind: db.File, Mode: mode, Content: []byte(content), Generated: true}
}

func dir(path string) servicedir.File {
	return servicedir.File{Path: path, Kind: db.Directory, Mode: 0o755, Generated: true}
}

func link(path, target string) servicedir.File {
	return servicedir.File{Path: path, Kind: db.Link, Target: target, Generated: true}
}

// treeDigest is the digest of an internal service's definition.
func treeDigest(t servicedir.Tree) db.Digest {
	var b strings.Builder
	for _, f := range t {
		_, _ = fmt.Fprintf(&b, "%q %d %o %q %q\n", f.Path, f.Kind, f.Mode, f.Content, f.Target)
	}
	return db.Digest(sha256.Sum256([]byte(b.String())))
}

// countPipes gives the number of pipes that the longruns of a database need.
func countPipes(d *db.DB) int {
	n := 0
	for i := range d.Len() {
		if d.HasProducers(db.ServiceID(i)) {
			n++
		}
	}
	return n
}

// makeInternal makes the service directory of an internal service.
func makeInternal(d *Dir, in Internal, o internalOptions) error {
	tree := o.tree(in.Slot)
	def := treeDigest(tree)
	if err := writeDefinition(d, in.Slot, def, tree); err != nil {
		return fmt.Errorf("cannot make %s: %w", in.Name, err)
	}
	if err := makeSlot(d, in.Slot, def, tree); err != nil {
		return fmt.Errorf("cannot make %s: %w", in.Name, err)
	}
	if err := linkDefinition(d.Servicedir(in.Slot), in.Slot, def); err != nil {
		return fmt.Errorf("cannot make %s: %w", in.Name, err)
	}
	return linkName(d, Named(in))
}

// UpdateInternals switches the internal services to the templates of this binary,
// whose absolute path is program, for a database. They go on as they are until
// they are started the next time.
func (w *Writer) UpdateInternals(program string, d *db.DB) error {
	o := internalOptions{program: program, real: w.real, pipes: countPipes(d)}
	for _, in := range Internals() {
		if err := makeInternal(w.Dir, in, o); err != nil {
			return err
		}
	}
	return nil
}
