package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// generate writes a source of n services. The tree of one size is always the
// same.
func generate(dir, format string, n int) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	write := writeTOML
	if format == "s6-rc" {
		write = writeDirectory
	}
	random := rand.New(rand.NewPCG(1, uint64(n)))
	for i := range n {
		if err := write(dir, name(i), i%4 == 0, needs(random, i)); err != nil {
			return err
		}
	}
	return nil
}

func name(i int) string { return fmt.Sprintf("service-%06d", i) }

// needs picks up to three earlier services.
func needs(random *rand.Rand, i int) []string {
	seen := map[int]bool{}
	var names []string
	for range min(i, 3) {
		if j := random.IntN(i); !seen[j] {
			seen[j] = true
			names = append(names, name(j))
		}
	}
	return names
}

func writeTOML(dir, name string, oneshot bool, needs []string) error {
	var b strings.Builder
	kind, program := "longrun", "run = [\"sleep\", \"1000000\"]\n"
	if oneshot {
		kind, program = "oneshot", "up = [\"true\"]\n"
	}
	fmt.Fprintf(&b, "type = %q\ndescription = \"number %s\"\n", kind, name)
	if len(needs) > 0 {
		fmt.Fprintf(&b, "needs = [\"%s\"]\n", strings.Join(needs, `", "`))
	}
	b.WriteString(program)
	return os.WriteFile(filepath.Join(dir, name+".toml"), []byte(b.String()), 0o644)
}

func writeDirectory(dir, name string, oneshot bool, needs []string) error {
	dir = filepath.Join(dir, name)
	files := map[string]string{"type": "longrun\n", "run": "#!/bin/sh\nexec sleep 1000000\n"}
	if oneshot {
		files = map[string]string{"type": "oneshot\n", "up": "true\n"}
	}
	for _, need := range needs {
		files["dependencies.d/"+need] = ""
	}
	if err := os.MkdirAll(filepath.Join(dir, "dependencies.d"), 0o755); err != nil {
		return err
	}
	for file, content := range files {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}
