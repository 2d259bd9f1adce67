package lines

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Each program says on descriptor 3 that it is ready, and on SIGTERM ends when it has
// done what there is to do.
const (
	produceCommand = "test-produce" // ID FILE: writes numbered lines; the next number is in FILE
	passCommand    = "test-pass"    // moves its input to its output
	sinkCommand    = "test-sink"    // FILE: moves its input to the end of FILE
)

// Producer is the run script of a program that writes the lines of id, and keeps count
// in a file. Paths are words of a shell.
func Producer(id, count string) string { return script(produceCommand, id, count) }

// Pass is the run script of one that moves its input to its output.
func Pass() string { return script(passCommand) }

// Sink is the run script of one that moves its input to the end of a file.
func Sink(file string) string { return script(sinkCommand, file) }

func script(args ...string) string {
	program, err := os.Executable()
	if err != nil {
		program = os.Args[0]
	}
	quoted := "'" + strings.ReplaceAll(program, "'", `'\''`) + "'"
	return "#!/bin/sh\nexec " + quoted + " " + strings.Join(args, " ") + "\n"
}

// Main runs the program that args call, and reports whether they call one.
func Main(args []string) bool {
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
