package live

import (
	"errors"
	"os"
)

// Writer is the one process that may change a live directory. It belongs to one
// goroutine at a time, except [Writer.Append], which several may call.
type Writer struct {
	*Dir
	lock *os.File
}

func newWriter(d *Dir, lock *os.File) (*Writer, error) {
	return &Writer{Dir: d, lock: lock}, nil
}

// Close writes the summary if something has changed, and gives the lock back.
func (w *Writer) Close() error {
	return errors.Join(w.lock.Close())
}
