package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// bundle holds all services.
const bundle = "all"

// service is one service of the generated source.
type service struct {
	name    string
	oneshot bool
	ready   bool // a longrun that says that it is ready
	needs   []string
}

// generate picks n services, the same ones each time: three quarters longruns,
// half of which say that they are ready, one quarter oneshots, in a random order,
// each with three dependencies on earlier ones.
func generate(n int) []service {
	random := rand.New(rand.NewPCG(1, uint64(n)))
	services := make([]service, n)
	for i, k := range random.Perm(n) {
		s := service{name: fmt.Sprintf("service-%06d", i), oneshot: k%4 == 0, ready: k%8 == 1 || k%8 == 3 || k%8 == 6}
		for _, j := range random.Perm(i)[:min(i, 3)] {
			s.needs = append(s.needs, services[j].name)
		}
		services[i] = s
	}
	return services
}

// What the services run. The daemon starts at once, since the shell is small, and
// sleeps in a read that has no end.
const (
	daemon      = "#!/bin/sh\nread _ <data/never\n"
	readyDaemon = "#!/bin/sh\necho >&3\nexec 3>&-\nread _ <data/never\n"
	program     = "true"
)

// writeSource writes the services as a source of s6-rc's format.
func writeSource(dir string, services []service) error {
	for _, s := range services {
		files := map[string]string{"type": "longrun\n", "run": daemon}
		switch {
		case s.oneshot:
			files = map[string]string{"type": "oneshot\n", "up": program + "\n", "down": program + "\n"}
		case s.ready:
			files["run"], files["notification-fd"] = readyDaemon, "3\n"
		}
		for _, need := range s.needs {
			files["dependencies.d/"+need] = ""
		}
		files["../"+bundle+"/contents.d/"+s.name] = ""
		if err := writeFiles(filepath.Join(dir, s.name), files); err != nil {
			return err
		}
		if s.oneshot {
			continue
		}
		if err := makeFIFO(filepath.Join(dir, s.name, "data", "never")); err != nil {
			return err
		}
	}
	return writeFiles(filepath.Join(dir, bundle), map[string]string{"type": "bundle\n"})
}

// writeFiles writes files below a directory.
func writeFiles(dir string, files map[string]string) error {
	for path, text := range files {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		perm := os.FileMode(0o644)
		if strings.HasPrefix(text, "#!") {
			perm = 0o755
		}
		if err := os.WriteFile(path, []byte(text), perm); err != nil {
			return err
		}
	}
	return nil
}

func makeFIFO(path string) error {
	if err := os.Mkdir(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return unix.Mkfifo(path, 0o600)
}
