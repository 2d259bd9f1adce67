package db

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"

	"golang.org/x/sys/unix"

	"strata/internal/atomicfs"
)

// openFile opens a database file for reading. Of a directory it opens the file in
// it. A FIFO or device does not block it.
func openFile(path string) (*os.File, string, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, path, atomicfs.Cause(err)
	}
	st, err := f.Stat()
	if err != nil {
		return nil, path, errors.Join(atomicfs.Cause(err), f.Close())
	}
	switch {
	case st.IsDir():
		if err := f.Close(); err != nil {
			return nil, path, err
		}
		inner := filepath.Join(path, dirFile)
		if st, err := os.Stat(inner); err == nil && st.IsDir() {
			return nil, path, corruptf("it is a directory without a database")
		}
		f, _, err := openFile(inner)
		return f, inner, err
	case !st.Mode().IsRegular():
		return nil, path, errors.Join(corruptf("it is not a regular file"), f.Close())
	}
	return f, path, nil
}

// mapper maps a file of a given size; a parameter so that its failure can be
// tested.
type mapper func(f *os.File, size int) ([]byte, error)

// mmap maps a file privately, which works on file systems that have no shared
// maps.
func mmap(f *os.File, size int) ([]byte, error) {
	return unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ, unix.MAP_PRIVATE)
}

// mapFile returns a file's bytes and what gives them back. A file system without
// maps is read into memory.
func mapFile(f *os.File, m mapper) (data []byte, release func() error, err error) {
	st, err := f.Stat()
	if err != nil {
		return nil, nil, atomicfs.Cause(err)
	}
	if st.Size() < int64(trailerSize) || int64(int(st.Size())) != st.Size() {
		return nil, nil, corruptf("it is not a compiled database")
	}
	data, err = m(f, int(st.Size()))
	switch {
	case err == nil:
		return data, func() error { return unix.Munmap(data) }, nil
	case errors.Is(err, unix.ENODEV), errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EOPNOTSUPP):
		data = make([]byte, st.Size())
		if _, err := io.ReadFull(io.NewSectionReader(f, 0, st.Size()), data); err != nil {
			return nil, nil, fmt.Errorf("cannot read: %w", err)
		}
		return data, func() error { return nil }, nil
	}
	return nil, nil, fmt.Errorf("cannot map: %w", err)
}

// protect runs a reader of mapped memory. A file that is cut while it is mapped
// makes the kernel send SIGBUS; that becomes [ErrCorrupt].
func protect(read func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		switch r := recover().(type) {
		case nil:
		case interface{ Addr() uintptr }:
			err = corruptf("it was cut while it was read")
		default:
			panic(r)
		}
	}()
	return read()
}
