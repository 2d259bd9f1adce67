package db

import (
	"fmt"
	"path/filepath"
	"testing"
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
