package s6

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// deathSize is the length of one record of supervise/death_tally.
const deathSize = stampSize + 2

// maxDeaths is the most records s6-supervise keeps (max-death-tally).
const maxDeaths = 4096

// A Death is one death of a service's run, as the supervisor recorded it.
type Death struct {
	Stamp  Stamp
	Code   int            // the exit code; 128 and the signal if a signal ended it
	Signal syscall.Signal // the signal that ended it, or 0
}

// ParseDeaths reads the bytes of a supervise/death_tally file, oldest first. Like
// s6, it takes a length that is not a whole number of records for no records.
func ParseDeaths(b []byte) []Death {
	if len(b)%deathSize != 0 {
		return nil
	}
	deaths := make([]Death, 0, len(b)/deathSize)
	for ; len(b) > 0; b = b[deathSize:] {
		deaths = append(deaths, Death{
			Stamp:  unpackStamp(b),
			Code:   int(b[12]),
			Signal: syscall.Signal(b[13]),
		})
	}
	return deaths
}

// ReadDeaths reads when and how the run of the service directory dir died since
// its supervisor started, oldest first, at most max-death-tally of them. No
// file is no deaths.
func ReadDeaths(dir string) ([]Death, error) {
	path := dir + "/supervise/death_tally"
	buf := make([]byte, maxDeaths*deathSize)
	n, err := readSmall(path, buf)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read death tally: %w", &fs.PathError{Op: "open", Path: path, Err: err})
	}
	return ParseDeaths(buf[:n]), nil
}
