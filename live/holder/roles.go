package holder

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"

	"golang.org/x/sys/unix"

	"strata/live"
)

// The roles that the program has when it starts itself.
const (
	roleStart = "--start" // starts the filler, and ends
	roleFill  = "--fill"
)

// handed are the descriptors of the filler, which come down to it.
type handed struct {
	ready  *os.File // where the daemon says that it listens: standard input
	start  *os.File // to say that the daemon may be started
	notify *os.File // to say that the service is ready
	old    *os.File // a connection to an old daemon, or nil
}

// firstFD is the number of the descriptor after standard error.
const firstFD = 3

// command is this program in another role. daemon is the process that becomes the
// daemon.
func command(role string, daemon int, real string, h handed) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", live.HolderCommand, role, strconv.Itoa(daemon), strconv.FormatBool(h.old != nil), real)
	cmd.Args[0] = os.Args[0]
	cmd.Stdin, cmd.Stderr, cmd.ExtraFiles = h.ready, os.Stderr, []*os.File{h.start, h.notify}
	if h.old != nil {
		cmd.ExtraFiles = append(cmd.ExtraFiles, h.old)
	}
	return cmd
}

// roleArgs are the arguments of the other roles.
type roleArgs struct {
	daemon int
	old    bool
	real   string
}

func parseRole(args []string) (a roleArgs, err error) {
	if a.daemon, err = strconv.Atoi(args[0]); err != nil {
		return a, fmt.Errorf("%w: %w", ErrGivesUp, err)
	}
	if a.old, err = strconv.ParseBool(args[1]); err != nil {
		return a, fmt.Errorf("%w: %w", ErrGivesUp, err)
	}
	a.real = args[2]
	return a, nil
}

// handed takes what has come down.
func (a roleArgs) handed() handed {
	file := func(fd int) *os.File {
		unix.CloseOnExec(fd)
		return os.NewFile(uintptr(fd), "handed down")
	}
	h := handed{ready: file(0), start: file(firstFD), notify: file(firstFD + 1)}
	if a.old {
		h.old = file(firstFD + 2)
	}
	return h
}

// startFiller starts the filler and does not wait for it.
func startFiller(args []string) error {
	a, err := parseRole(args)
	if err != nil {
		return err
	}
	return command(roleFill, a.daemon, a.real, a.handed()).Start()
}
