package source

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// BenchmarkRead reads definitions with three dependencies each, a quarter of them
// oneshots, in both formats.
func BenchmarkRead(b *testing.B) {
	for _, n := range []int{1000, 10000} {
		for _, format := range []string{"s6rc", "toml"} {
			b.Run(fmt.Sprintf("%s/%d", format, n), func(b *testing.B) {
				dir := b.TempDir()
				for i := range n {
					benchDefinition(b, dir, format, i)
				}
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				b.ReportAllocs()
				b.ResetTimer()
				var set *Set
				for b.Loop() {
					set, _ = Read(context.Background(), []Dir{{Path: dir}}, Options{})
				}
				b.StopTimer()
				runtime.GC()
				runtime.ReadMemStats(&after)
				if len(set.Definitions) != n {
					b.Fatalf("read %d definitions, want %d", len(set.Definitions), n)
				}
				b.ReportMetric(float64(after.HeapAlloc-min(before.HeapAlloc, after.HeapAlloc))/float64(n), "kept-B/definition")
			})
		}
	}
}

// benchDefinition writes definition i, which needs three earlier ones.
func benchDefinition(b *testing.B, dir, format string, i int) {
	b.Helper()
	name := fmt.Sprintf("service-%06d", i)
	var needs []string
	for _, back := range []int{1, 7, 31} {
		if i >= back {
			needs = append(needs, fmt.Sprintf("service-%06d", i-back))
		}
	}
	write := func(path, content string) {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	oneshot := i%4 == 0
	if format == "toml" {
		text := fmt.Sprintf("needs = [%s]\n", quoteList(needs))
		if oneshot {
			text += fmt.Sprintf("type = \"oneshot\"\nup = [\"echo\", \"%d\"]\n", i)
		} else {
			text += fmt.Sprintf("type = \"longrun\"\nnotification-fd = 3\nrun = \"#!/bin/sh\\nexec sleep %d\\n\"\n", i)
		}
		write(filepath.Join(dir, name+".toml"), text)
		return
	}
	for _, need := range needs {
		write(filepath.Join(dir, name, "dependencies.d", need), "")
	}
	if oneshot {
		write(filepath.Join(dir, name, "type"), "oneshot\n")
		write(filepath.Join(dir, name, "up"), fmt.Sprintf("echo %d\n", i))
		return
	}
	write(filepath.Join(dir, name, "type"), "longrun\n")
	write(filepath.Join(dir, name, "notification-fd"), "3\n")
	write(filepath.Join(dir, name, "run"), fmt.Sprintf("#!/bin/sh\nexec sleep %d\n", i))
}
