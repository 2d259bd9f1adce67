package s6test

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"strata/live/s6"
)

// Service says what a service directory for a test holds.
type Service struct {
	Run            string // the text of run; empty: a program that runs for ever
	Finish         string // the text of finish; empty: none
	NotificationFD int    // 0: none
	Down           bool   // with a file down: not started by itself
	Log            string // the text of log/run; empty: no logger
	// Files are further files, their text by their path in the directory.
	Files map[string]string
}

// Forever is a run that runs until it is told to end, without a child.
const Forever = "#!/bin/sh\nexec sleep 100000\n"

// ReadyForever is Forever for a service with notification-fd 3: it says that it
// is ready at once.
const ReadyForever = "#!/bin/sh\necho >&3\nexec 3>&-\nexec sleep 100000\n"

// Make makes the service directory Root/sv/name and returns its path. It is not
// in the scandir then: [Scandir.Add] or s6.Link puts it there.
func (s *Scandir) Make(name string, sv Service) string {
	s.t.Helper()
	dir := filepath.Join(s.Root, "sv", name)
	if sv.Run == "" {
		sv.Run = Forever
	}
	s.write(filepath.Join(dir, "run"), sv.Run, 0o755)
	if sv.Finish != "" {
		s.write(filepath.Join(dir, "finish"), sv.Finish, 0o755)
	}
	if sv.NotificationFD != 0 {
		s.write(filepath.Join(dir, "notification-fd"), strconv.Itoa(sv.NotificationFD)+"\n", 0o644)
	}
	if sv.Down {
		s.write(filepath.Join(dir, "down"), "", 0o644)
	}
	if sv.Log != "" {
		s.write(filepath.Join(dir, "log/run"), sv.Log, 0o755)
		s.seed(filepath.Join(dir, "log"))
	}
	for path, text := range sv.Files {
		s.write(filepath.Join(dir, path), text, 0o644)
	}
	s.seed(dir)
	return dir
}

func (s *Scandir) seed(dir string) {
	s.t.Helper()
	if err := s6.Seed(dir, s6.OwnerOnly()); err != nil {
		s.t.Fatal(err)
	}
}

// Limit bounds a wait that is meant to succeed, far above what it takes.
const Limit = 60 * time.Second

// Add makes the service directory like Make and puts it into the scandir; its
// supervisor is there when Add returns.
func (s *Scandir) Add(name string, sv Service) string {
	s.t.Helper()
	dir := s.Make(name, sv)
	ctx, cancel := context.WithTimeout(context.Background(), Limit)
	defer cancel()
	if err := s6.Link(ctx, s.Dir, []s6.Entry{{Name: name, Dir: dir}}, 0); err != nil {
		s.t.Fatalf("%v\n%s", err, s.Log())
	}
	return dir
}

// write writes one file of a service directory, with its parents. No process may
// be forked meanwhile: as long as it had the file open for writing too, the file
// could not be executed.
func (s *Scandir) write(path, text string, mode os.FileMode) {
	s.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		s.t.Fatal(err)
	}
}
