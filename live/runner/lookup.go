package runner

import (
	"fmt"
	"os"
	"sync"

	"strata/compile/db"
	"strata/live"
	"strata/live/servicedir"
)

// Library finds programs in the databases of a live directory, and nowhere else.
// It keeps the last one open.
type Library struct {
	dir *live.Dir

	mu      sync.Mutex
	base    *db.DB // nil: none is open
	content db.Digest
	file    Identity
}

// NewLibrary makes the library of a live directory.
func NewLibrary(d *live.Dir) *Library { return &Library{dir: d} }

// Lookup finds the program of a run request.
func (l *Library) Lookup(req Request) (Program, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p, err := l.lookup(req)
	if err != nil {
		return Program{}, fmt.Errorf("cannot find the program of %s: %w", req.Service, err)
	}
	return p, nil
}

// Close closes the database that is open. The next lookup opens one again.
func (l *Library) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.close()
}

func (l *Library) close() {
	if l.base != nil {
		l.base.Close()
		l.base = nil
	}
}

// open opens a database, unless it is open and still there.
func (l *Library) open(content db.Digest) error {
	path := l.dir.DatabasePath(content)
	file, err := IdentityOf(path)
	if err != nil {
		return err
	}
	if l.base != nil && l.content == content && l.file == file {
		return nil
	}
	l.close()
	l.base, err = db.OpenLive(path)
	l.content, l.file = content, file
	return err
}

func (l *Library) lookup(req Request) (Program, error) {
	if err := l.open(req.Content); err != nil {
		return Program{}, err
	}
	base := l.base
	ref, ok := base.Lookup(req.Service)
	if !ok || ref.Kind != db.AtomicRef || base.Type(ref.Service) != db.Oneshot {
		return Program{}, fmt.Errorf("it is no oneshot of the database %s", req.Content.Short())
	}
	svc, err := base.Service(ref.Service)
	if err != nil {
		return Program{}, err
	}
	argv, file := servicedir.Command(svc, string(req.Phase))
	p := Program{Argv: argv, File: file, TTY: svc.TTY, Dir: l.dir.DefinitionDir(live.Slot(req.Slot), live.View{DB: base}.Definition(ref.Service))}
	if _, err := os.Stat(p.Dir); err != nil {
		if file {
			return Program{}, fmt.Errorf("its definition is not there: %w", err)
		}
		p.Dir = l.dir.Servicedir(live.RunnerSlot)
	}
	return p, nil
}
