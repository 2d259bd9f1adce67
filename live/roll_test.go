package live_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"strata/live"
	"strata/live/s6"
	"strata/live/s6/s6test"
)

// killSupervisor kills the supervisor of a service and waits until it is dead, though
// not until s6-svscan knows.
func killSupervisor(t *testing.T, dir string) {
	t.Helper()
	pid, err := s6.SupervisorPID(dir)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err != nil {
		t.Fatal(err)
	}
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(s6test.Limit/time.Millisecond))
		if n == 1 {
			return
		}
		if err != unix.EINTR {
			t.Fatalf("the supervisor does not die: %v", err)
		}
	}
}

// nextSupervisor gives a function that waits until a service has another supervisor.
func nextSupervisor(t *testing.T, dir string) func() {
	t.Helper()
	sub, err := s6.Subscribe(filepath.Join(dir, "event"))
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		defer sub.Close()
		ctx, cancel := context.WithTimeout(t.Context(), s6test.Limit)
		defer cancel()
		for {
			events, err := sub.Next(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if slices.Contains(events, 's') {
				return
			}
		}
	}
}

// rolled is a live directory with so many services that it is written down who
// supervises whom; write has that written anew.
func rolled(t *testing.T) (tr tree, d *live.Dir, w *live.Writer, write func(old []byte) []byte) {
	t.Helper()
	tr = newTree(t)
	var defs []definition
	for i := range 40 {
		defs = append(defs, longrun(fmt.Sprintf("s%02d", i)))
	}
	d = tr.init(writeDB(t, filepath.Join(tr.Root, "db"), defs...))
	w = lock(t, d)
	// It is not if a supervisor has come this very moment.
	write = func(old []byte) []byte {
		t.Helper()
		for begin := time.Now(); time.Since(begin) < s6test.Limit; {
			state(t, w)
			if text, err := os.ReadFile(rollFile(d)); err == nil && !slices.Equal(text, old) {
				return text
			}
		}
		t.Fatal("it is not written")
		return nil
	}
	return tr, d, w, write
}

func rollFile(d *live.Dir) string { return filepath.Join(d.Real(), "supervisors") }

// slotOf is the slot of the service with this number.
func slotOf(i int) live.Slot { return live.FirstSlot + live.Slot(i) }

// TestRoll holds what is read with the file of the supervisors to what is read
// without.
func TestRoll(t *testing.T) {
	tr, d, w, write := rolled(t)
	defer w.Close()
	slot := slotOf
	for _, i := range []int{3, 20, 39} {
		start(t, w, slot(i), [32]byte{1})
	}
	file := rollFile(d)
	compare := func(when string) *live.State {
		t.Helper()
		with := state(t, d)
		if err := os.Rename(file, file+".away"); err != nil {
			t.Fatal(err)
		}
		without := state(t, d)
		if err := os.Rename(file+".away", file); err != nil {
			t.Fatal(err)
		}
		for i, s := range with.Services {
			if s != without.Services[i] {
				t.Errorf("%s:\nwith    %+v\nwithout %+v", when, s, without.Services[i])
			}
		}
		return with
	}
	text := write(nil)
	compare("at first")
	// The file is used: without a lock, whose path says nothing now, it is known that
	// the supervisor is there.
	locked := filepath.Join(d.Servicedir(slot(5)), "supervise/lock")
	if err := os.Rename(locked, locked+".away"); err != nil {
		t.Fatal(err)
	}
	if s := state(t, d).Services[5]; !s.Supervised {
		t.Error("the file is not used")
	}
	if err := os.Rename(locked+".away", locked); err != nil {
		t.Fatal(err)
	}

	// A dead one is not believed, even if s6-svscan has not noticed.
	svscan := func(sig unix.Signal) {
		t.Helper()
		if err := unix.Kill(tr.PID(), sig); err != nil {
			t.Fatal(err)
		}
	}
	svscan(unix.SIGSTOP)
	comes := nextSupervisor(t, d.Servicedir(slot(20)))
	killSupervisor(t, d.Servicedir(slot(20)))
	if s := compare("killed").Services[20]; s.Supervised || s.Up || !s.Observed {
		t.Errorf("killed: %+v", s)
	}
	svscan(unix.SIGCONT)
	comes()
	if s := compare("its next supervisor").Services[20]; !s.Supervised {
		t.Errorf("its next supervisor: %+v", s)
	}
	// The last one of the file vouches for all.
	fields := strings.Fields(string(text))
	last := filepath.Join(d.Real(), "sv", fields[len(fields)-1])
	comes = nextSupervisor(t, last)
	killSupervisor(t, last)
	comes()
	compare("all there again")
	text = write(text)
	compare("written again")
	if err := os.WriteFile(file, text[:len(text)-1], 0o600); err != nil {
		t.Fatal(err)
	}
	compare("damaged")
}
