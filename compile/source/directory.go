package source

import (
	"bytes"
	"errors"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"strata/compile/db"
	"strata/compile/source/execline"
	"strata/internal/diag"
)

// readDir reads a definition that is a directory, in either format. It returns
// false if not even its kind is known.
func (w *worker) readDir() bool {
	fd, err := openDir(w.src.fd, w.item.file)
	if err != nil {
		d := w.diags.Errorf("source-unreadable", diag.Position{File: w.path}, "cannot read %s: %s", w.name, cause(err))
		d.System = system(err)
		return false
	}
	defer unix.Close(fd)
	w.fd = fd
	var st unix.Stat_t
	if unix.Fstat(fd, &st) == nil {
		w.note(&st, unix.S_IXOTH, w.path)
	}
	if w.entries, err = list(fd, w.names, false); err != nil {
		d := w.diags.Errorf("source-unreadable", diag.Position{File: w.path}, "cannot read %s: %s", w.name, cause(err))
		d.System = system(err)
		return false
	}
	if !w.opts.S6RC {
		if done, ok := w.chooseFormat(); done {
			return ok
		}
	}
	return w.readS6RC()
}

// chooseFormat reads a directory that is not, or not only, s6-rc's. It returns
// done as false for one that is.
func (w *worker) chooseFormat() (done, ok bool) {
	_, hasType := w.find("type")
	_, hasTOML := w.find(tomlFile)
	switch {
	case hasType && hasTOML:
		d := w.errorf("two-definitions", tomlFile, "the directory has both a type file and %s", tomlFile)
		d.Hint = "keep one of them: type makes it a definition of s6-rc, service.toml one in TOML"
		d.Related = []diag.Related{{Pos: w.at("type"), Message: "the type file"}}
		return true, false
	case hasTOML:
		ok := w.readTOML(w.fd, tomlFile, w.file(tomlFile))
		switch {
		case ok && w.def.Kind == Bundle:
			w.unusedTrees()
		case ok:
			w.readTrees()
		}
		return true, ok
	case hasType:
		return false, false
	}
	d := w.diags.Errorf("type-missing", diag.Position{File: w.path}, "%s has neither a type file nor %s", w.name, tomlFile)
	d.Hint = "write longrun, oneshot or bundle into a file named type; hide a directory that is no definition with a leading dot"
	return true, false
}

// readS6RC reads a directory as s6-rc-compile does.
func (w *worker) readS6RC() bool {
	kind, ok := w.readType()
	if !ok {
		return false
	}
	w.def.Kind = kind
	w.def.Pos = w.at("type")
	w.def.FieldPos = FieldPos{"type": w.def.Pos}
	switch kind {
	case Bundle:
		w.readBundle()
	case Oneshot:
		w.def.Body.Type = db.Oneshot
		w.readCommon()
		w.def.Body.Up = w.readCommandLine("up", true)
		w.def.Body.Down = w.readCommandLine("down", false)
		w.def.Body.Reload = w.readCommandLine("reload", false)
	case Longrun:
		w.def.Body.Type = db.Longrun
		w.readCommon()
		w.readRun()
		w.readFinish()
		w.readPipeline()
		w.readNumbers()
		w.def.Body.DownSignal = w.readSignal("down-signal")
		w.def.Body.ReloadSignal = w.readSignal("reload-signal")
		w.def.Body.TimeoutKillPG = w.readFlag("flag-timeout-killpg", "flag-timeout-killpg")
		w.def.Body.NewPIDNS = w.readFlag("flag-newpidns", "flag-newpidns")
		w.readTrees()
	}
	if !w.opts.S6RC {
		w.warnOfTypos()
	}
	return true
}

// readType reads the type file. s6-rc looks at 8 bytes of it and no more, so
// that "longrun" and a newline may be followed by anything.
func (w *worker) readType() (Kind, bool) {
	const most = 8
	b, err := w.get("type", most)
	if err != nil || b == nil {
		if err == nil {
			err = unix.ENOENT
		}
		w.cannot("type-unreadable", "read", "type", err).Hint = "type holds one word: longrun, oneshot or bundle"
		return 0, false
	}
	word := b
	if n := len(b); n > 0 && b[n-1] == '\n' {
		word = b[:n-1]
	}
	if len(word) < most {
		word, _, _ = bytes.Cut(word, []byte{0})
		for k := Oneshot; k <= Bundle; k++ {
			if string(word) == k.String() {
				return k, true
			}
		}
	}
	d := w.errorf("bad-type", "type", "the type must be longrun, oneshot or bundle")
	show(d, b, 1, 1, len(b))
	switch lower := strings.ToLower(string(b)); {
	case bytes.Contains(b, []byte("\r")):
		d.Hint = "the line ends with a carriage return: save the file with Unix line ends"
	case strings.HasPrefix(lower, "longrun"), strings.HasPrefix(lower, "oneshot"), strings.HasPrefix(lower, "bundle"):
		d.Hint = "the word stands alone, in lower case, followed by at most one newline"
	}
	return 0, false
}

func (w *worker) readBundle() {
	if !w.readNames("contents", "contents.d", "contents", &w.def.Contents) {
		d := w.errorf("contents-missing", "contents", "a bundle needs contents.d or contents")
		d.Pos = diag.Position{File: w.path}
		d.Hint = "make a directory contents.d with an empty file for each service"
	}
	w.def.Flags = w.readFlags()
}

// readCommon reads what oneshots and longruns share.
func (w *worker) readCommon() {
	w.readNames("needs", "dependencies.d", "dependencies", &w.def.Needs)
	w.def.Body.TimeoutUp = w.readTimeout("timeout-up")
	w.def.Body.TimeoutDown = w.readTimeout("timeout-down")
	w.def.Body.Flags = w.readFlags()
}

func (w *worker) readFlags() (f db.Flags) {
	if w.readFlag("flag-essential", "essential") {
		f |= db.Essential
	}
	if w.readFlag("flag-recommended", "recommended") {
		f |= db.Recommended
	}
	return f
}

// readFlag reports whether a flag file is there. What kind of file it is does not
// matter.
func (w *worker) readFlag(name, field string) bool {
	e, ok := w.find(name)
	if !ok {
		return false
	}
	ok, err := exists(w.fd, e)
	if err != nil {
		w.cannot("stat-failed", "look at", name, err)
		return false
	}
	if ok {
		w.def.FieldPos[field] = w.at(name)
	}
	return ok
}

// readCommandLine reads up, down or reload.
func (w *worker) readCommandLine(name string, needed bool) db.Program {
	b, err := w.get(name, -1)
	switch {
	case err != nil:
		w.cannot("script-unreadable", "read", name, err)
		return db.Program{}
	case b == nil && needed:
		d := w.errorf("script-unreadable", name, "a oneshot needs a file %s", name)
		d.Pos = diag.Position{File: w.path}
		d.Hint = "write the command line of the program into it; an empty file is a oneshot that does nothing"
		return db.Program{}
	case b == nil:
		return db.Program{}
	}
	w.def.FieldPos[name] = w.at(name)
	w.lintShebang(name, b)
	argv, err := execline.Parse(b)
	var e *execline.SyntaxError
	if errors.As(err, &e) {
		message := e.Kind.String()
		if e.Detail != "" {
			message += ": " + e.Detail
		}
		d := w.errorf("script-syntax", name, "%s in %s", message, name)
		d.Hint = e.Hint
		show(d, b, e.Line, e.Column, 1)
		if e.Kind != execline.Syntax {
			d.Code = "script-unmatched"
		}
	}
	return db.Program{Form: db.Argv, Argv: argv}
}

// lintShebang warns of a shell script where a command line belongs: its first
// line would be a comment and the rest be run as one command.
func (w *worker) lintShebang(name string, b []byte) {
	if !bytes.HasPrefix(b, []byte("#!")) {
		return
	}
	words := strings.Fields(lineOf(b, 1)[2:])
	if len(words) > 0 && path.Base(words[0]) == "env" {
		words = words[1:]
	}
	if len(words) > 0 && path.Base(words[0]) == "execlineb" {
		return
	}
	d := w.diags.Warnf("shebang-ignored", w.at(name), "%s: the #! line in %s is only a comment", w.name, name)
	show(d, b, 1, 1, len(b))
	d.Hint = "this file is one command line, not a script: put the script elsewhere and write its path here"
}
