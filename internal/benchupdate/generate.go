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

// generate makes n services, the same ones each time: three quarters longruns, one
// quarter oneshots, each with up to three needs among the services before it, and
// with a file of so many bytes of its own. The programs are those that program
// gives.
func generate(n, size int, program func(i int) string) (*db.Model, error) {
	random := rand.New(rand.NewPCG(1, uint64(n)))
	m := &db.Model{Services: make([]db.Service, n), Blobs: db.Blobs{}}
	var needs []graph.Edge
	for i := range n {
		s := db.Service{
			Name: name(i), Type: db.Longrun, Consumer: db.None,
			Origin: db.Origin{Label: "0", Path: name(i) + ".toml", Fields: []db.FieldOrigin{{Field: "run", Path: name(i) + ".toml", Line: 2}}},
		}
		text := db.Program{Form: db.Script, Script: m.Blobs.Add([]byte("#!/bin/sh\n" + program(i)))}
		if i%4 == 0 {
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

// write makes a database of n services.
func write(path string, n, size int, program func(i int) string) error {
	m, err := generate(n, size, program)
	if err != nil {
		return err
	}
	_, err = db.Write(path, m, db.WriteOptions{})
	return err
}
