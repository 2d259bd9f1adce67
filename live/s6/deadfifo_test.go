package s6_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"strata/live/s6"
)

// A subscription removes the FIFOs of killed listeners, and nothing else.
func TestSubscribeSweeps(t *testing.T) {
	dir := t.TempDir()
	now, old := s6.StampOf(time.Now()).String(), s6.StampOf(time.Now().Add(-time.Hour)).String()
	living, err := s6.Subscribe(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer living.Close()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v, %v", entries, err)
	}
	ended := exec.Command("true")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	of := func(pid int) string { return ".ftrig1:" + now + ":abcdef." + strconv.Itoa(pid) }
	stay := []string{entries[0].Name(), ".ftrig1:" + now + ":hidden", "other", ".ftrig1:junk:abcdef", of(os.Getpid())}
	dead := []string{"ftrig1:" + now + ":abcdef", "ftrig1:" + old + ":abcdef", ".ftrig1:" + old + ":abcdef", of(ended.Process.Pid)}
	for _, name := range slices.Concat(stay[1:], dead) {
		if err := syscall.Mkfifo(filepath.Join(dir, name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := "ftrig1:" + old + ":a_file"
	if err := os.WriteFile(filepath.Join(dir, file), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	sub, err := s6.Subscribe(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := sub.Close(); err != nil {
		t.Fatal(err)
	}
	var got []string
	entries, _ = os.ReadDir(dir)
	for _, e := range entries {
		got = append(got, e.Name())
	}
	want := append(stay, file)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
