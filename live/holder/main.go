package holder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"strata/live"
	"strata/live/s6/fdholder"
)

// socketName is the socket's name in the service directory.
const socketName = "s"

// daemonName is s6's program.
const daemonName = "s6-fdholder-daemon"

// dialLimit is how long a daemon that is in the way may take to accept us.
const dialLimit = 5 * time.Second

// ErrGivesUp is wrapped by errors that another start of the service would meet
// again: the program then exits [live.HolderGivesUp].
var ErrGivesUp = errors.New("the fd-holder gives up")

// Main is the program of the fd-holder's longrun, in all its roles; args are what
// follows [live.HolderCommand]. Its current directory is its service directory. In
// the first role it does not return unless it fails.
func Main(args []string) error {
	switch {
	case len(args) == 3 && args[0] == "--fd":
		fd, err := strconv.Atoi(args[1])
		if err != nil || fd < 3 {
			return fmt.Errorf("%w: %q cannot be the descriptor to be ready on", ErrGivesUp, args[1])
		}
		return run(args[2], fd)
	case len(args) == 4 && args[0] == roleStart:
		return startFiller(args[1:])
	case len(args) == 4 && args[0] == roleFill:
		return runFiller(args[1:])
	}
	return fmt.Errorf("%w: its arguments are --fd N LIVE", ErrGivesUp)
}

// run starts the filler and becomes the daemon.
func run(real string, notify int) error {
	unix.CloseOnExec(notify) // it is the filler's, not the daemon's
	path, err := lookDaemon()
	if err != nil {
		return fmt.Errorf("%w: %w: it is a program of s6", ErrGivesUp, err)
	}
	d, err := live.Open(real)
	if err != nil {
		return err
	}
	pipes, err := Pipes(d)
	if err != nil {
		return err
	}
	room, err := makeRoom(len(pipes))
	if err != nil {
		return err
	}
	ready, err := prepare(real, notify)
	if err != nil {
		return err
	}
	if err := unix.Dup3(int(ready.Fd()), 1, 0); err != nil {
		return fmt.Errorf("cannot become the fd-holder: %w", err)
	}
	argv := []string{
		daemonName, "-1", "-c", strconv.Itoa(live.HolderConnections), "-n", strconv.Itoa(room), "-i", "data/rules", "--", socketName,
	}
	return fmt.Errorf("cannot become the fd-holder: cannot execute %s: %w", path, unix.Exec(path, argv, os.Environ()))
}

// lookDaemon finds s6's program. Without a PATH it is where s6 would look.
func lookDaemon() (string, error) {
	if os.Getenv("PATH") == "" {
		if err := os.Setenv("PATH", "/usr/bin:/bin"); err != nil {
			return "", err
		}
	}
	return exec.LookPath(daemonName)
}

// prepare has the filler get everything, and gives what the daemon has to write to
// when it is ready.
func prepare(real string, notify int) (ready *os.File, err error) {
	readyR, readyW, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer readyR.Close()
	goR, goW, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, readyW.Close())
	}
	defer goR.Close()
	h := handed{ready: readyR, start: goW, notify: os.NewFile(uintptr(notify), "notification-fd")}
	if h.old, err = oldDaemon(); h.old != nil {
		defer h.old.Close()
	}
	if err == nil {
		err = command(roleStart, os.Getpid(), real, h).Run()
	}
	goW.Close()
	if err == nil {
		var b [1]byte
		if _, err = io.ReadFull(goR, b[:]); errors.Is(err, io.EOF) {
			err = errors.New("the filler has ended")
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot start the fd-holder: %w", err), readyW.Close())
	}
	return readyW, nil
}

// makeRoom lets the daemon have as many descriptors as it may, with the stack that
// it keeps them on, and gives how many it is to take.
func makeRoom(pipes int) (int, error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("cannot find out the limit of open files: %w", err)
	}
	room, err := live.HolderRoom(pipes, limit.Max)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrGivesUp, err)
	}
	// This also keeps Go from giving the daemon the soft limit that we came with.
	limit.Cur = limit.Max
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("cannot raise the limit of open files: %w", err)
	}
	const perDescriptor, rest = 400, 1 << 20
	need := uint64(room)*perDescriptor + rest
	if err := unix.Getrlimit(unix.RLIMIT_STACK, &limit); err == nil && limit.Cur < need {
		limit.Cur = min(need, limit.Max)
		_ = unix.Setrlimit(unix.RLIMIT_STACK, &limit)
	}
	return room, nil
}

// oldDaemon connects to a daemon that runs already: its supervisor was killed, and
// ours has taken the place. There is none nearly always, and the file is nil.
func oldDaemon() (*os.File, error) {
	ctx, cancel := context.WithTimeout(context.Background(), dialLimit)
	defer cancel()
	c, err := fdholder.Dial(ctx, socketName)
	if err != nil {
		return nil, nil
	}
	defer c.Close()
	return c.File()
}
