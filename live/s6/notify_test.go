package s6_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"strata/live/s6"
)

// Everyone who listens is told, however many they are; who is gone is removed, and
// what is no listener's stays.
func TestNotify(t *testing.T) {
	dir := t.TempDir()
	const n = 50 // more than one read of the directory gives
	var subs []*s6.Subscription
	for range n {
		sub, err := s6.Subscribe(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer sub.Close()
		subs = append(subs, sub)
	}
	stamp := s6.StampOf(time.Now()).String()
	dead, other := filepath.Join(dir, "ftrig1:"+stamp+":abcdef"), filepath.Join(dir, ".ftrig1:"+stamp+":abcdef")
	for _, path := range []string{dead, other} {
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s6.Notify(dir, s6.EventUp)
	s6.Notify(dir, s6.EventReady)
	for _, sub := range subs {
		if events, err := sub.Drain(); err != nil || string(toBytes(events)) != "uU" {
			t.Errorf("heard %q, %v", toBytes(events), err)
		}
	}
	if _, err := os.Lstat(dead); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a listener that is gone is left: %v", err)
	}
	if _, err := os.Lstat(other); err != nil {
		t.Error(err)
	}
	s6.Notify(filepath.Join(dir, "none"), s6.EventUp)
}
