package source

import (
	"bytes"
	"errors"

	"golang.org/x/sys/unix"

	"strata/compile/db"
	"strata/internal/diag"
)

// readRun reads the run file, which must be a regular file; a link to one will
// do, one to /dev/null will not.
func (w *worker) readRun() {
	b, err := w.get("run", -1)
	switch {
	case errors.Is(err, unix.EISDIR), errors.Is(err, errNotRegular), b != nil && len(b) == 0 && w.leadsToNullDevice("run"):
		w.errorf("run-not-regular", "run", "run is not a regular file")
	case err != nil:
		w.cannot("source-unreadable", "read", "run", err)
	case b == nil:
		d := w.errorf("run-missing", "run", "a longrun needs a run file")
		d.Pos = diag.Position{File: w.path}
		d.Hint = "run is the program that is the daemon, or becomes it by exec"
	default:
		w.def.Body.Run = w.script("run", b)
	}
}

// readFinish reads the finish file. As s6-rc does, it passes over one that may
// not be read.
func (w *worker) readFinish() {
	b, err := w.get("finish", -1)
	switch {
	case unreachable(err):
		w.diags.Warnf("finish-ignored", w.at("finish"), "%s: finish cannot be read and is ignored: %s", w.name, cause(err))
	case err != nil:
		w.cannot("copy-failed", "copy", "finish", err)
	case b != nil:
		w.def.Body.Finish = w.script("finish", b)
	}
}

// unreachable reports whether a file could not be opened for a reason of its own:
// s6-rc passes over such a finish, down-signal or reload-signal.
func unreachable(err error) bool {
	return errors.Is(err, unix.EACCES) || errors.Is(err, unix.ELOOP) || errors.Is(err, unix.ENOTDIR)
}

// leadsToNullDevice reports whether a file is, or is a link to, /dev/null.
func (w *worker) leadsToNullDevice(name string) bool {
	var st unix.Stat_t
	return unix.Fstatat(w.fd, name, &st, 0) == nil && nullDevice(&st)
}

// script keeps the content of a program that the kernel will run.
func (w *worker) script(name string, b []byte) db.Program {
	w.def.FieldPos[name] = w.at(name)
	if end := bytes.IndexByte(b, '\n'); end > 0 && b[end-1] == '\r' && bytes.HasPrefix(b, []byte("#!")) {
		d := w.diags.Warnf("crlf", w.at(name), "%s: the #! line of %s ends with a carriage return", w.name, name)
		show(d, b, 1, end, 1)
		d.Hint = "the kernel takes it as part of the interpreter's name: save the file with Unix line ends"
	}
	return db.Program{Form: db.Script, Script: w.blobs.add(b)}
}

// readSignal reads down-signal or reload-signal. Their content is not looked at,
// s6-supervise does that. A directory counts as an empty file, as for s6-rc.
func (w *worker) readSignal(name string) []byte {
	b, err := w.get(name, -1)
	switch {
	case errors.Is(err, unix.EISDIR):
		w.diags.Warnf("signal-ignored", w.at(name), "%s: %s is a directory and counts as an empty file", w.name, name)
		b = []byte{}
	case unreachable(err):
		w.diags.Warnf("signal-ignored", w.at(name), "%s: %s cannot be read and is ignored: %s", w.name, name, cause(err))
		return nil
	case err != nil:
		w.cannot("copy-failed", "copy", name, err)
		return nil
	}
	if b == nil {
		return nil
	}
	w.def.FieldPos[name] = w.at(name)
	return append([]byte{}, b...)
}

// readPipeline reads producer-for, consumer-for and pipeline-name.
func (w *worker) readPipeline() {
	def := w.def
	before := len(w.diags)
	given := w.readNames("producer-for", "", "producer-for", &def.ProducerFor)
	if given && len(def.ProducerFor) != 1 && !w.diags[before:].HasErrors() {
		w.errorf("not-one-name", "producer-for", "producer-for must name exactly one service, it names %d", len(def.ProducerFor)).
			Hint = "a longrun writes to one consumer; a consumer may have many producers"
	}
	if len(def.ProducerFor) > 1 {
		def.ProducerFor = def.ProducerFor[:1]
	}
	w.readNames("consumer-for", "", "consumer-for", &def.ConsumerFor)
	if !given && len(def.ConsumerFor) > 0 {
		w.readPipelineName()
		return
	}
	e, ok := w.find("pipeline-name")
	if !ok {
		return
	}
	ok, err := exists(w.fd, e)
	if err != nil {
		w.cannot("stat-failed", "look at", "pipeline-name", err)
	} else if ok {
		w.diags.Warnf("pipeline-name-ignored", w.at("pipeline-name"),
			"%s: pipeline-name is ignored, because this is not the last consumer of a pipeline", w.name).
			Hint = "only the longrun at the end of a pipeline names it"
	}
}

// readPipelineName reads the name of a pipeline. It is a definition, not a
// reference, so that it must be good as one; s6-rc's own compiler is not so
// strict.
func (w *worker) readPipelineName() {
	before := len(w.diags)
	given := w.readNames("pipeline-name", "", "pipeline-name", &w.def.PipelineName)
	if !given || w.diags[before:].HasErrors() {
		return
	}
	if n := len(w.def.PipelineName); n != 1 {
		w.errorf("not-one-name", "pipeline-name", "pipeline-name must hold exactly one name, it holds %d", n)
		w.def.PipelineName = nil
		return
	}
	ref := w.def.PipelineName[0]
	if code, message := nameFault(ref.Name); code != "" && !w.opts.S6RC {
		d := w.errorf(diag.Code(code), "pipeline-name", "%s", message)
		d.Pos, d.Excerpt = ref.Pos, ref.Name
	}
}
