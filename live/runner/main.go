package runner

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"strata/live"
)

// SocketName is the socket's name in the runner's service directory.
const SocketName = "s"

// The command lines of the runner, after its sub-command: the first is that of its
// service directory, the others are for one process image to call the next.
const (
	readyFlag = "--fd"    // FD LIVE: serve, and say on the descriptor when clients can connect
	stateFlag = "--state" // FD LIVE: go on with the state in the descriptor
	checkFlag = "--check" // LIVE: succeed if the state on standard input could be taken over
)

// askLimit is how long a program may take to say that it can take a state over.
const askLimit = 10 * time.Second

// ErrUsage is wrapped when the runner is called wrongly.
var ErrUsage = errors.New("usage: strata " + live.RunnerCommand + " " + readyFlag + " N LIVE")

// Main is the program of the runner's longrun; args are what follows its
// sub-command, see [live.RunnerCommand]. Its current directory is its service
// directory. It serves the live directory whose real path is LIVE until SIGUSR1,
// SIGTERM or SIGINT comes, and if N is given writes a newline to that descriptor
// when clients can connect.
func Main(args []string) error {
	if len(args) == 2 && args[0] == checkFlag {
		return checkState(args[1])
	}
	if len(args) != 3 {
		return ErrUsage
	}
	fd, err := strconv.Atoi(args[1])
	if err != nil || fd < 0 {
		return fmt.Errorf("%w: %q is no descriptor", ErrUsage, args[1])
	}
	switch args[0] {
	case readyFlag:
		return start(fd, args[2])
	case stateFlag:
		return carryOn(fd, args[2])
	}
	return ErrUsage
}

// checkState says whether a state can be taken over.
func checkState(real string) error {
	if _, err := readState(os.Stdin); err != nil {
		return err
	}
	_, err := live.Open(real)
	return err
}

// start makes the socket and lets this same program go on with it: so a signal is
// blocked from its first moment on, and a start is what every renewal is.
func start(ready int, real string) error {
	l, err := Listen(SocketName)
	if err != nil {
		return err
	}
	defer l.Close()
	program, err := os.Executable()
	if err != nil {
		return err
	}
	return image{real: real}.execute(program, state{Format: StateFormat, Listener: l.fd, Ready: ready})
}

// carryOn goes on with a state.
func carryOn(fd int, real string) error {
	beSmall()
	st, err := takeState(fd)
	if err != nil {
		return err
	}
	d, err := live.Open(real)
	if err != nil {
		return err
	}
	m := image{real, askLimit, newStopper()}
	lib := NewLibrary(d)
	var refresh, end func()
	s := NewServer(Config{Lookup: lib.Lookup, renew: m.renew, rest: func() {
		refresh()
		giveBack()
		lib.Close() // last: who watches the file knows then that it is done
	}})
	l, err := s.resume(st)
	if err != nil {
		return err
	}
	refresh, end = m.showBoard(s.used)
	defer end()
	if err := notify(st.Ready); err != nil {
		return err
	}
	return s.Serve(m.stopper.ctx, l)
}

// takeState reads the state that the descriptor holds.
func takeState(fd int) (state, error) {
	f := os.NewFile(uintptr(fd), "state")
	if f == nil {
		return state{}, fmt.Errorf("cannot read the state: %d is no descriptor", fd)
	}
	defer f.Close()
	return readState(f)
}

// notify tells the supervisor that the service is ready.
func notify(fd int) error {
	if fd == 0 {
		return nil
	}
	f := os.NewFile(uintptr(fd), "notification-fd")
	if f == nil {
		return fmt.Errorf("cannot say that the oneshot runner is ready: %d is no descriptor", fd)
	}
	defer f.Close()
	if _, err := f.WriteString("\n"); err != nil {
		return fmt.Errorf("cannot say that the oneshot runner is ready: %w", err)
	}
	return nil
}
