package holder

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"strata/live"
)

// recordDir is where it is noted which pipes the fd-holder has.
func recordDir(d *live.Dir) string { return filepath.Join(d.Servicedir(live.HolderSlot), "pipes") }

// RecordPath is where it is noted which pipe leads into the longrun with this slot:
// a link to the pipe's name in /proc, which is its inode.
func RecordPath(d *live.Dir, consumer live.Slot) string {
	return filepath.Join(recordDir(d), strconv.FormatUint(uint64(consumer), 10))
}

// recorded is the pipe that was noted, or empty.
func recorded(d *live.Dir, consumer live.Slot) pipeID {
	id, err := idOf(RecordPath(d, consumer))
	if err != nil {
		return ""
	}
	return id
}

// record notes a pipe.
func record(d *live.Dir, consumer live.Slot, id pipeID) error {
	if recorded(d, consumer) == id {
		return nil
	}
	path := RecordPath(d, consumer)
	temp := filepath.Join(recordDir(d), "."+filepath.Base(path)+".new")
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err := os.Symlink(string(id), temp)
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.Mkdir(recordDir(d), 0o755); err == nil || errors.Is(err, fs.ErrExist) {
			err = os.Symlink(string(id), temp)
		}
	}
	if err != nil {
		return err
	}
	return os.Rename(temp, path)
}

// forget removes the notes of pipes that there are no longer.
func forget(d *live.Dir, pipes map[live.Slot]Pipe) error {
	entries, err := os.ReadDir(recordDir(d))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		slot, bad := strconv.ParseUint(e.Name(), 10, 32)
		if _, ok := pipes[live.Slot(slot)]; bad == nil && ok {
			continue
		}
		err = errors.Join(err, os.Remove(filepath.Join(recordDir(d), e.Name())))
	}
	return err
}
