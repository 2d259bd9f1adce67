package db

import (
	"crypto/sha256"
	"hash"
	"strings"
)

// definition lays out what a service directory or a oneshot is made of; it is
// what [DB.Definition] covers.
func definition(c *codec, s *Service) {
	number(c, &s.Type, Longrun)
	number(c, &s.TimeoutUp, 1<<32-1)
	number(c, &s.TimeoutDown, 1<<32-1)
	for _, p := range []*Program{&s.Up, &s.Down, &s.Reload, &s.Run, &s.Finish} {
		program(c, p)
	}
	c.str(&s.TTY)
	for _, u := range []*Uint{&s.NotificationFD, &s.LockFD, &s.TimeoutKill, &s.TimeoutFinish, &s.MaxDeathTally} {
		c.optional(u)
	}
	c.content(&s.DownSignal)
	c.content(&s.ReloadSignal)
	c.flag(&s.TimeoutKillPG)
	c.flag(&s.NewPIDNS)
	execution(c, &s.Exec)
	list(c, &s.Files, entry)
	// Who skims gets no paths.
	if s.Type < Oneshot || !c.skim && !validFiles(s.Files) {
		c.bad = true
	}
}

func program(c *codec, p *Program) {
	number(c, &p.Form, Script)
	switch p.Form {
	case Argv:
		list(c, &p.Argv, (*codec).str)
	case Script:
		c.digest(&p.Script)
	}
}

func execution(c *codec, e *Exec) {
	c.str(&e.User)
	list(c, &e.Env, func(c *codec, v *EnvVar) { c.str(&v.Name); c.str(&v.Value) })
	c.optional(&e.Umask)
	c.str(&e.Workdir)
	list(c, &e.Limits, func(c *codec, l *Limit) { c.str(&l.Name); c.u64(&l.Value) })
	program(c, &e.RunBefore)
	number(c, &e.RunBeforeTimeout, 1<<32-1)
}

func entry(c *codec, e *Entry) {
	c.str(&e.Path)
	number(c, &e.Kind, FIFO)
	number(c, &e.Mode, 0o7777)
	c.flag(&e.Owner.Other)
	if e.Owner.Other {
		c.u32(&e.Owner.UID)
		c.u32(&e.Owner.GID)
	}
	switch e.Kind {
	case File:
		c.digest(&e.Blob)
	case Link:
		c.str(&e.Target)
	}
}

// validFiles reports whether the entries are sorted, of known kinds, and stay
// within data, env and template, so that nobody can be made to write elsewhere.
func validFiles(files []Entry) bool {
	for i, e := range files {
		top, _, _ := strings.Cut(e.Path, "/")
		if top != "data" && top != "env" && top != "template" {
			return false
		}
		if e.Kind < File || !plainPath(e.Path) || (i > 0 && files[i-1].Path >= e.Path) {
			return false
		}
	}
	return true
}

// plainPath reports whether a path is relative and has no empty, "." or ".."
// element.
func plainPath(path string) bool {
	for elem := range strings.SplitSeq(path, "/") {
		if elem == "" || elem == "." || elem == ".." || strings.IndexByte(elem, 0) >= 0 {
			return false
		}
	}
	return true
}

// relations lays out the rest of a service that is not in the flat arrays.
func relations(c *codec, s *Service) {
	list(c, &s.Producers, func(c *codec, id *ServiceID) { number(c, id, None) })
	list(c, &s.Provides, (*codec).str)
	list(c, &s.RenamedFrom, (*codec).str)
	number(c, &s.OnChange, Keep)
}

// note lays out what no digest but the file's covers.
func note(c *codec, description *string, o *Origin) {
	c.str(description)
	c.str(&o.Label)
	c.str(&o.Path)
	c.line(&o.Line)
	list(c, &o.Fields, func(c *codec, f *FieldOrigin) {
		c.str(&f.Field)
		// Most fields stand in the service's own file.
		elsewhere := f.Path != o.Path
		c.flag(&elsewhere)
		if elsewhere {
			c.str(&f.Path)
		} else {
			f.Path = o.Path
		}
		c.line(&f.Line)
	})
}

// encoder writes records one after the other, each into the same buffer first.
type encoder struct {
	c codec
	h hash.Hash
}

func newEncoder() *encoder { return &encoder{h: sha256.New()} }

func (e *encoder) begin() *codec {
	e.c = codec{b: append(e.c.b[:0], make([]byte, sumSize)...), writing: true}
	return &e.c
}

// end seals the record and returns a copy that is just as long.
func (e *encoder) end(key []byte) []byte {
	seal(key, e.c.b)
	return append(make([]byte, 0, len(e.c.b)), e.c.b...)
}

// service returns a service's record and its definition's digest; ok is false if
// a value is out of range.
func (e *encoder) service(key []byte, s *Service) (record []byte, d Digest, ok bool) {
	c := e.begin()
	definition(c, s)
	d = definitionDigest(e.h, c.b[sumSize:])
	relations(c, s)
	return e.end(key), d, !c.bad
}

// note returns the note of a service or bundle.
func (e *encoder) note(key []byte, description string, o Origin) (value []byte, ok bool) {
	c := e.begin()
	note(c, &description, &o)
	return e.end(key), !c.bad
}

// definitionDigest hashes the definition part of a record.
func definitionDigest(h hash.Hash, def []byte) (d Digest) {
	h.Reset()
	h.Write([]byte("strata definition 1\x00"))
	h.Write(def)
	h.Sum(d[:0])
	return d
}

// decodeService reads a record into s and returns the bytes of its definition.
func decodeService(key, value []byte, s *Service) (def []byte, ok bool) {
	return readService(new(codec), key, value, s)
}

// readService is decodeService with a codec. One that skims finds the same records sound,
// but for the paths of files, and reads the same but for text.
func readService(c *codec, key, value []byte, s *Service) (def []byte, ok bool) {
	body, ok := unseal(key, value)
	if !ok {
		return nil, false
	}
	c.b, c.bad = body, false
	definition(c, s)
	def = body[:len(body)-len(c.b)]
	relations(c, s)
	return def, !c.bad && len(c.b) == 0
}

func decodeNote(key, value []byte, description *string, o *Origin) bool {
	return readNote(new(codec), key, value, description, o)
}

func readNote(c *codec, key, value []byte, description *string, o *Origin) bool {
	body, ok := unseal(key, value)
	if !ok {
		return false
	}
	c.b, c.bad = body, false
	note(c, description, o)
	return !c.bad && len(c.b) == 0
}
