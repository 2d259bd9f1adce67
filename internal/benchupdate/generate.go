package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"

	"strata/compile/db"
	"strata/graph"
)

// name is the name of a service.
func name(i int) string { return fmt.Sprintf("service-%06d", i) }

// model says which services to make.
type model struct {
	services int
	size     int                // of a file in each service, in bytes; 0 is no file
	longrun  func(i int) bool   // which are longruns, and not oneshots
	program  func(i int) string // what they run
}

// mixed makes three quarters of them longruns.
func mixed(i int) bool { return i%4 != 0 }

// generate makes services, the same ones each time, each with up to three needs among
// the services before it.
func generate(want model) (*db.Model, error) {
	n, size := want.services, want.size
	random := rand.New(rand.NewPCG(1, uint64(n)))
	m := &db.Model{Services: make([]db.Service, n), Blobs: db.Blobs{}}
	var needs []graph.Edge
	for i := range n {
		s := db.Service{
			Name: name(i), Type: db.Longrun, Consumer: db.None,
			Origin: db.Origin{Label: "0", Path: name(i) + ".toml", Fields: []db.FieldOrigin{{Field: "run", Path: name(i) + ".toml", Line: 2}}},
		}
		text := db.Program{Form: db.Script, Script: m.Blobs.Add([]byte("#!/bin/sh\n" + want.program(i)))}
		if !want.longrun(i) {
			s.Type, s.Up = db.Oneshot, text
		} else {
			s.Run = text
		}
		if size > 0 {
			content := append(bytes.Repeat([]byte("x"), size), name(i)...)
			s.Files = []db.Entry{
				{Path: "data", Kind: db.Directory, Mode: 0o755},
				{Path: "data/file", Kind: db.File, Mode: 0o644, Blob: m.Blobs.Add(content)},
			}
		}
		m.Services[i] = s
		for range min(i, 3) {
			needs = append(needs, graph.Edge{From: db.ServiceID(i), To: db.ServiceID(random.IntN(i))})
		}
	}
	var err error
	if m.Needs, err = graph.New(n, needs); err != nil {
		return nil, err
	}
	if m.Wants, err = graph.New(n, nil); err != nil {
		return nil, err
	}
	m.Soft = m.Wants
	m.Levels, err = m.Needs.Levels()
	return m, err
}

func oldProgram(i int) string { return "exec " + name(i) + "\n" }
func newProgram(i int) string { return "exec " + name(i) + " -v\n" }

// lastChanged changes one of n services, which no other needs.
func lastChanged(n int) func(i int) string {
	return func(i int) string {
		if i == n-1 {
			return newProgram(i)
		}
		return oldProgram(i)
	}
}

// write makes a database.
func write(path string, want model) error {
	m, err := generate(want)
	if err != nil {
		return err
	}
	_, err = db.Write(path, m, db.WriteOptions{})
	return err
}
