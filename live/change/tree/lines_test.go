package tree_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"strata/live/servicedir"
)

// The test binary is also the programs of pipelines. Each says on descriptor 3 that
// it is ready, and on SIGTERM ends when it has done what there is to do.
const (
	produceCommand = "test-produce" // ID FILE: writes numbered lines; the next number is in FILE
	passCommand    = "test-pass"    // moves its input to its output
	sinkCommand    = "test-sink"    // FILE: moves its input to the end of FILE
)

// runLineProgram runs the program that args call, if they call one.
func runLineProgram(args []string) bool {
	if len(args) == 0 {
		return false
	}
	var err error
	switch args[0] {
	case produceCommand:
		err = produce(args[1], args[2])
	case passCommand:
		err = move(nil)
	case sinkCommand:
		var f *os.File
		if f, err = os.OpenFile(args[1], os.O_WRONLY|os.O_CREATE, 0o600); err == nil {
			if _, err = f.Seek(0, io.SeekEnd); err == nil {
				err = move(f)
			}
		}
	default:
		return false
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", args[0], err)
		os.Exit(1)
	}
	return true
}

// line is a line of a producer: its length depends on its number.
func line(id string, n uint64) string {
	return id + " " + strconv.FormatUint(n, 10) + " " + strings.Repeat("x", int(n%40)) + "\n"
}

// terminated gives a descriptor that can be read from once SIGTERM has come.
func terminated() (int, error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return -1, err
	}
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, unix.SIGTERM)
	go func() {
		<-caught
		unix.Close(fds[1])
	}()
	return fds[0], nil
}

func sayReady() error {
	_, err := unix.Write(3, []byte("\n"))
	return errors.Join(err, unix.Close(3))
}

// produce writes lines, each with one write. A line counts when that was done.
func produce(id, file string) error {
	term, err := terminated()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	var b [8]byte
	if _, err := f.ReadAt(b[:], 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	next := binary.BigEndian.Uint64(b[:])
	if err := sayReady(); err != nil {
		return err
	}
	for {
		if _, ended, err := await(-1, term, false); err != nil || ended {
			return err
		}
		text := line(id, next)
		if n, err := unix.Write(1, []byte(text)); err != nil || n != len(text) {
			return fmt.Errorf("wrote %d of %d bytes: %w", n, len(text), err)
		}
		next++
		binary.BigEndian.PutUint64(b[:], next)
		if _, err := f.WriteAt(b[:], 0); err != nil {
			return err
		}
	}
}

// await says whether there is something to read from fd, and whether term has come.
func await(fd, term int, block bool) (input, ended bool, err error) {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}, {Fd: int32(term), Events: unix.POLLIN}}
	timeout := 0
	if block {
		timeout = -1
	}
	for {
		_, err := unix.Poll(fds, timeout)
		if err != unix.EINTR {
			return fds[0].Revents != 0, fds[1].Revents != 0, err
		}
	}
}

// move moves standard input to f, or to standard output. The kernel moves it, so
// that a kill at whatever moment loses nothing.
func move(f *os.File) error {
	to := 1
	if f != nil {
		to = int(f.Fd())
	}
	term, err := terminated()
	if err == nil {
		err = sayReady()
	}
	for err == nil {
		input, ended, awaitErr := await(0, term, true)
		if awaitErr != nil || ended && !input {
			return awaitErr
		}
		if !input {
			continue
		}
		var n int64
		n, err = unix.Splice(0, nil, to, nil, 1<<16, 0)
		if n == 0 && err == nil {
			return errors.New("end of input")
		}
	}
	return err
}

// lineService is a longrun that runs one of these programs.
func lineService(t testing.TB, name, feeds string, args ...string) definition {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	run := "#!/bin/sh\nexec " + servicedir.Quote(program)
	for _, a := range args {
		run += " " + a
	}
	return definition{name: name, run: run + "\n", notify: 3, feeds: feeds}
}

// producer writes lines into another longrun, and sink is where they end.
func producer(t testing.TB, name, feeds string) definition {
	return lineService(t, name, feeds, produceCommand, name, "$LOG."+name)
}

func pass(t testing.TB, name, feeds string) definition {
	return lineService(t, name, feeds, passCommand)
}

func sink(t testing.TB, name string) definition {
	return lineService(t, name, "", sinkCommand, "$LOG")
}

// checkLines checks what has arrived when everything has been stopped: all lines
// that the producers have written, whole and in order. A producer that was killed
// may have written one line without counting it, and writes it again.
func (tr *testTree) checkLines(kills map[string]int, producers ...string) {
	tr.t.Helper()
	next := map[string]uint64{}
	twice := map[string]int{}
	text := read(tr.t, filepath.Join(tr.Root, "log"))
	for l := range strings.Lines(text) {
		id, rest, _ := strings.Cut(l, " ")
		number, _, _ := strings.Cut(rest, " ")
		n, err := strconv.ParseUint(number, 10, 64)
		if err != nil || l != line(id, n) {
			tr.t.Fatalf("torn line %q", l)
		}
		switch {
		case n == next[id]:
			next[id]++
		case n+1 == next[id]:
			twice[id]++
		default:
			tr.t.Fatalf("%s: line %d where %d was due", id, n, next[id])
		}
	}
	for _, id := range producers {
		written := binary.BigEndian.Uint64([]byte(read(tr.t, filepath.Join(tr.Root, "log."+id))))
		// Its last line may be one that it was killed over.
		if written == 0 || next[id] != written && (next[id] != written+1 || kills[id] == 0) {
			tr.t.Errorf("%s has written %d lines, and %d have arrived", id, written, next[id])
		}
		if twice[id] > kills[id] {
			tr.t.Errorf("%s: %d lines came twice, and it was killed %d times", id, twice[id], kills[id])
		}
	}
	tr.t.Logf("%d bytes, lines of %v", len(text), next)
}
