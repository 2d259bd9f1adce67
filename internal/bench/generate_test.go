package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestGenerate(t *testing.T) {
	for _, format := range []string{"toml", "s6-rc"} {
		t.Run(format, func(t *testing.T) {
			dir := t.TempDir()
			if err := generate(dir, format, 40); err != nil {
				t.Fatal(err)
			}
			entries, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			if len(entries) != 40 {
				t.Errorf("%d definitions, want 40", len(entries))
			}
		})
	}
	dir := t.TempDir()
	if err := generate(dir, "toml", 8); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, "service-000004.toml"))
	if err != nil {
		t.Fatal(err)
	}
	want := "type = \"oneshot\"\ndescription = \"number service-000004\"\n"
	if len(got) < len(want) || string(got[:len(want)]) != want {
		t.Errorf("service 4 is\n%s", got)
	}
}
