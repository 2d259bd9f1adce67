package s6_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"syscall"
	"testing"

	"strata/live/s6"
	"strata/live/s6/s6test"
)

// until reads events until one of them is last.
func until(t *testing.T, sub *s6.Subscription, last s6.Event) string {
	t.Helper()
	var all []byte
	for {
		events, err := sub.Next(testContext(t))
		if err != nil {
			t.Fatalf("after %q: %v", all, err)
		}
		for _, e := range events {
			all = append(all, byte(e))
		}
		if slices.Contains(events, last) {
			return string(all)
		}
	}
}

func TestEvents(t *testing.T) {
	sc := s6test.New(t)
	dir := sc.Make("e", s6test.Service{Run: s6test.ReadyForever, NotificationFD: 3})
	sub, err := s6.Subscribe(dir + "/event")
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	entries := []s6.Entry{{Name: "e", Dir: dir}}
	if err := s6.Link(testContext(t), sc.Dir, entries, s6test.Limit); err != nil {
		t.Fatal(err)
	}
	if got := until(t, sub, s6.EventReady); got != "suU" {
		t.Errorf("start: %q", got)
	}
	if err := s6.SendControl(dir, s6.CmdDown); err != nil {
		t.Fatal(err)
	}
	if got := until(t, sub, s6.EventDown); got != "dD" {
		t.Errorf("stop: %q", got)
	}
	if err := s6.Unlink(testContext(t), sc.Dir, entries); err != nil {
		t.Fatal(err)
	}
	if got := until(t, sub, s6.EventExit); got != "x" {
		t.Errorf("end: %q", got)
	}
}

// Every command does what its comment says.
func TestSignals(t *testing.T) {
	sc := s6test.New(t)
	dir := sc.Add("s", s6test.Service{Down: true})
	for _, sig := range []syscall.Signal{
		syscall.SIGTERM, syscall.SIGKILL, syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT,
		syscall.SIGALRM, syscall.SIGABRT, syscall.SIGUSR1, syscall.SIGUSR2,
	} {
		cmd, ok := s6.SignalCommand(sig)
		if !ok {
			t.Errorf("no command for %v", sig)
			continue
		}
		mustWait(t, dir, s6.GoalUp(), s6.CmdOnce)
		if st := mustWait(t, dir, s6.GoalDownReady(), cmd); st.Wait.Signal() != sig {
			t.Errorf("%q gave %v, want %v", byte(cmd), st.Wait, sig)
		}
	}
	if _, ok := s6.SignalCommand(syscall.SIGSEGV); ok {
		t.Error("a command for SIGSEGV")
	}
}

func TestDownFile(t *testing.T) {
	sc := s6test.New(t)
	dir := sc.Make("d", s6test.Service{})
	for _, f := range []func(string) error{s6.UnmarkDown, s6.MarkDown, s6.MarkDown} {
		if err := f(dir); err != nil {
			t.Fatal(err)
		}
	}
	entries := []s6.Entry{{Name: "d", Dir: dir}}
	if err := s6.Link(testContext(t), sc.Dir, entries, s6test.Limit); err != nil {
		t.Fatal(err)
	}
	if st := mustStatus(t, dir); !st.NotStarted() || st.WantUp {
		t.Errorf("marked down: %+v", st)
	}
	if err := s6.UnmarkDown(dir); err != nil {
		t.Fatal(err)
	}
	if err := s6.Unlink(testContext(t), sc.Dir, entries); err != nil {
		t.Fatal(err)
	}
	if err := s6.Link(testContext(t), sc.Dir, entries, s6test.Limit); err != nil {
		t.Fatal(err)
	}
	mustWait(t, dir, s6.GoalUp())
}

// The notifier's rules, checked without it: name, mode, who is there first.
func TestSubscription(t *testing.T) {
	dir := t.TempDir()
	check := sameFDs(t)
	sub, err := s6.Subscribe(dir)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v, %v", entries, err)
	}
	name := entries[0].Name()
	if !regexp.MustCompile(`^ftrig1:@[0-9a-f]{24}:[-_0-9A-Za-z]{6}$`).MatchString(name) {
		t.Errorf("name %q", name)
	}
	if info, err := entries[0].Info(); err != nil || info.Mode() != os.ModeNamedPipe|0o622 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	write := func(letters string) {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|syscall.O_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		f.WriteString(letters)
		f.Close()
	}
	write("dD")
	write("u")
	if events, err := sub.Next(t.Context()); err != nil || string(toBytes(events)) != "dDu" {
		t.Errorf("events %q, %v", events, err)
	}
	if events, err := sub.Drain(); err != nil || len(events) != 0 {
		t.Errorf("nothing to drain: %q, %v", events, err)
	}
	// A context that ends does not spoil the subscription.
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	go cancel(why)
	if _, err := sub.Next(ctx); !errors.Is(err, why) {
		t.Errorf("error %v", err)
	}
	if _, err := sub.Next(ctx); !errors.Is(err, why) {
		t.Errorf("error %v", err)
	}
	write("x")
	if events, err := sub.Next(t.Context()); err != nil || string(toBytes(events)) != "x" {
		t.Errorf("events %q, %v", events, err)
	}
	write("OD")
	if events, err := sub.Drain(); err != nil || string(toBytes(events)) != "OD" {
		t.Errorf("drained %q, %v", events, err)
	}
	for range 2 {
		if err := sub.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := sub.Next(t.Context()); !errors.Is(err, os.ErrClosed) {
		t.Errorf("after close: %v", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("left: %v", entries)
	}
	if _, err := s6.Subscribe(dir + "/none"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing directory: %v", err)
	}
	check()
}

func toBytes(events []s6.Event) []byte {
	var b []byte
	for _, e := range events {
		b = append(b, byte(e))
	}
	return b
}
