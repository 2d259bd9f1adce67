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
}

// tree renders the internal service with this slot.
func (o internalOptions) tree(s Slot) servicedir.Tree {
	switch s {
	case RunnerSlot:
		return runnerTree(o)
	case ApplierSlot:
		return applierTree(o)
	}
	return holderTree(o)
}

// RunnerCommand is the sub-command of the binary that the runner executes. It is
// followed by --fd N, the descriptor on which to say that it is ready, and the
// real live directory.
const RunnerCommand = "oneshot-runner"

// RunnerProgram is, in the runner's service directory, a link to its program: a
// runner that is renewed goes on with what it points to.
const RunnerProgram = "data/program"

// runnerTree is the runner's service directory. A oneshot it has started must
// not die with it unheard, so it may take its time to end. It is told to by
// SIGUSR1, which is not lost while it is renewed.
func runnerTree(o internalOptions) servicedir.Tree {
	run := "#!/bin/sh\nexec 2>&1\nexec " + servicedir.Quote(o.program) + " " + RunnerCommand + " --fd 3 " + servicedir.Quote(o.real) + "\n"
	return servicedir.Tree{
		dir("data"),
		link(RunnerProgram, o.program),
		file("down-signal", 0o644, "SIGUSR1\n"),
		file("notification-fd", 0o644, "3\n"),
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
// whose absolute path is program. They go on as they are until they are started
// the next time, but that the runner is renewed by the next command that needs it.
func (w *Writer) UpdateInternals(program string) error {
	o := internalOptions{program: program, real: w.real}
	for _, in := range Internals() {
		if err := makeInternal(w.Dir, in, o); err != nil {
			return err
		}
	}
	return nil
}
