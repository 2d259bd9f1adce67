package db

import (
	"cmp"
	"fmt"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func BenchmarkWrite(b *testing.B) {
	for _, n := range []int{1000, 10000, 100000} {
		m := large(b, n)
		path := filepath.Join(tempDir(b), "x.db")
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				info, err := Write(path, m, WriteOptions{})
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(info.Size), "bytes/file")
			}
		})
	}
}

// openLookup is what a short-lived tool does.
func openLookup(b *testing.B, n int, open func(string) (*DB, error)) {
	path := write(b, large(b, n))
	name := fmt.Sprintf("service-%06d", n/2)
	b.ReportAllocs()
	for b.Loop() {
		db, err := open(path)
		if err != nil {
			b.Fatal(err)
		}
		if _, ok := db.Lookup(name); !ok {
			b.Fatal("not found")
		}
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	for _, n := range []int{100, 1000, 10000, 100000} {
		b.Run(fmt.Sprintf("live/%d", n), func(b *testing.B) { openLookup(b, n, OpenLive) })
		b.Run(fmt.Sprintf("whole/%d", n), func(b *testing.B) { openLookup(b, n, Open) })
	}
}

func BenchmarkRead(b *testing.B) {
	const n = 100000
	db := mustOpen(b, write(b, large(b, n)))
	name := fmt.Sprintf("service-%06d", n/3)
	b.Run("lookup", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, ok := db.Lookup(name); !ok {
				b.Fatal("not found")
			}
		}
	})
	b.Run("service", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := db.Service(n / 3); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("check", func(b *testing.B) {
		for b.Loop() {
			if err := db.Check(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkCheck checks a database that was just copied, alone and beside the current
// one, of which it differs in one service.
func BenchmarkCheck(b *testing.B) {
	const n = 10000
	m := large(b, n)
	current := write(b, m)
	m.Services[n/2].TimeoutUp++
	db, err := OpenLive(write(b, m))
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	for _, c := range []struct {
		name  string
		check func() error
	}{
		{"whole/alone", func() error { return db.check(nil) }},
		{"whole/like", func() error { return db.checkLike(current) }},
		{"records/alone", func() error { return cmp.Or(db.checkMeaning(nil), db.checkNotes(nil)) }},
		{"records/like", func() error {
			like, err := OpenLive(current)
			if err != nil {
				return err
			}
			return cmp.Or(db.checkMeaning(like), db.checkNotes(like), like.Close())
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			before := processorTime(b)
			for b.Loop() {
				if err := c.check(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
		})
	}
}

// processorTime is what the process has used, in nanoseconds.
func processorTime(b *testing.B) int64 {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
