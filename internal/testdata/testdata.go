// Package testdata holds the conformance cases: source trees with what s6-rc 0.7
// answers for them, so that the tests need nothing from outside the project.
//
// The cases are data, packed as they were taken: trees, matrix and realworld
// hold one source tree each, lexing one script each, update an old and a new
// tree with a live state. No case is treated by its name; others of the same
// kinds are meant to pass as well.
package testdata

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

//go:embed trees.tar.gz matrix.tar.gz realworld.tar.gz lexing.jsonl.gz update.jsonl.gz
var packed embed.FS

// TreeSets are the names that [Trees] takes.
var TreeSets = []string{"trees", "matrix", "realworld"}

// Trees returns the cases of a set, in the order of their ids.
func Trees(set string) ([]*Case, error) {
	r, err := open(set + ".tar.gz")
	if err != nil {
		return nil, err
	}
	var cases []*Case
	for archive := tar.NewReader(r); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return cases, nil
		}
		if err != nil {
			return nil, fmt.Errorf("cannot read cases %s: %w", set, err)
		}
		if !strings.HasSuffix(h.Name, ".case") {
			continue
		}
		text, err := io.ReadAll(archive)
		if err != nil {
			return nil, fmt.Errorf("cannot read case %s: %w", h.Name, err)
		}
		c, err := ParseCase(text)
		if err != nil {
			return nil, fmt.Errorf("cannot read case %s: %w", h.Name, err)
		}
		cases = append(cases, c)
	}
}

// Lex is one case of execline's lexing.
type Lex struct {
	ID     string
	Script []byte
	Exit   int
	Argv   []string
}

// Lexing returns the lexing cases.
func Lexing() ([]Lex, error) {
	var cases []Lex
	err := Lines("lexing", func(line []byte) error {
		var raw struct {
			ID        string  `json:"id"`
			Script    string  `json:"script"`
			ScriptB64 []byte  `json:"script_b64"`
			Exit      int     `json:"exit"`
			Argv      []Bytes `json:"argv"`
		}
		if err := json.Unmarshal(line, &raw); err != nil {
			return err
		}
		c := Lex{ID: raw.ID, Script: []byte(raw.Script), Exit: raw.Exit, Argv: Strings(raw.Argv)}
		if raw.ScriptB64 != nil {
			c.Script = raw.ScriptB64
		}
		cases = append(cases, c)
		return nil
	})
	return cases, err
}

// Lines hands each line of a set of one-line cases ("lexing", "update") to f.
func Lines(set string, f func(line []byte) error) error {
	r, err := open(set + ".jsonl.gz")
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		if err := f(lines.Bytes()); err != nil {
			return fmt.Errorf("cannot read cases %s: %w", set, err)
		}
	}
	return lines.Err()
}

func open(name string) (io.Reader, error) {
	b, err := packed.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("cannot read cases: %w", err)
	}
	return gzip.NewReader(bytes.NewReader(b))
}
