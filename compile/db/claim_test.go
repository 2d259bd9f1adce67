package db

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// TestClaim asks a database what it is, sound, damaged where nobody looks, and not.
func TestClaim(t *testing.T) {
	t.Parallel()
	path := write(t, rich(t))
	db, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	want := Info{Content: db.Content(), File: db.File(), Size: db.Size()}
	if got, err := Claim(path); err != nil || *got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	sound, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damaged := filepath.Join(tempDir(t), "damaged")
	seen := false
	for at := range sound {
		b := append([]byte(nil), sound...)
		b[at] ^= 1
		if err := os.WriteFile(damaged, b, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := Claim(damaged)
		switch {
		case err == nil && (got.Content != want.Content || got.Size != want.Size):
			t.Fatalf("byte %d: it says it is %+v", at, got)
		case err == nil:
			seen = true
		case !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrFormat):
			t.Fatalf("byte %d: %v", at, err)
		}
	}
	if !seen {
		t.Error("all of the file was read")
	}
	if _, err := Claim(filepath.Join(tempDir(t), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of none: %v", err)
	}
}
