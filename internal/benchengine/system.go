package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"strata/internal/benchtree"
)

// system is a live directory with its own s6-svscan.
type system struct {
	strata   string // the multi-call binary
	root     string // the temporary directory that holds everything
	services []service
	svscan   *benchtree.Svscan
}

// newSystem makes the source, the database, the scandir and the live directory of
// n services in root. The caller stops it, also after an error.
func newSystem(ctx context.Context, strata, root string, n int) (*system, error) {
	s := &system{strata: strata, root: root, services: generate(n)}
	if err := writeSource(s.path("src"), s.services); err != nil {
		return s, err
	}
	if err := s.run(ctx, "compile", "-o", s.path("db"), s.path("src")); err != nil {
		return s, err
	}
	var err error
	if s.svscan, err = benchtree.Start(s.path("scan"), s.path("live")); err != nil {
		return s, err
	}
	return s, s.run(ctx, "init", "-c", s.path("db"), "-l", s.path("live"), s.path("scan"))
}

func (s *system) path(name string) string { return filepath.Join(s.root, name) }

// run runs a command of the multi-call binary.
func (s *system) run(ctx context.Context, args ...string) error {
	return benchtree.Run(ctx, s.strata, args...)
}

// stop ends the tree and removes the directory.
func (s *system) stop() error {
	return errors.Join(s.svscan.Stop(), os.RemoveAll(s.root))
}
