package main

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"
)

func TestGenerate(t *testing.T) {
	services := generate(1000)
	if !reflect.DeepEqual(services, generate(1000)) {
		t.Error("they differ from one time to the next")
	}
	oneshots, ready := 0, 0
	before := map[string]bool{}
	for i, s := range services {
		if s.oneshot {
			oneshots++
		}
		if s.ready {
			ready++
		}
		needs := map[string]bool{}
		for _, n := range s.needs {
			if !before[n] {
				t.Errorf("%s needs %s, which is no earlier one", s.name, n)
			}
			needs[n] = true
		}
		if len(needs) != min(i, 3) {
			t.Errorf("%s needs %d services", s.name, len(needs))
		}
		before[s.name] = true
	}
	if oneshots != 250 || ready != 375 {
		t.Errorf("%d oneshots, %d longruns with readiness", oneshots, ready)
	}
}

func TestWriteSource(t *testing.T) {
	dir := t.TempDir()
	services := generate(40)
	if err := writeSource(dir, services); err != nil {
		t.Fatal(err)
	}
	contents, err := os.ReadDir(filepath.Join(dir, bundle, "contents.d"))
	if err != nil || len(contents) != len(services) {
		t.Errorf("the bundle holds %d services, %v", len(contents), err)
	}
	for _, s := range services {
		needs, _ := os.ReadDir(filepath.Join(dir, s.name, "dependencies.d"))
		_, err := os.Stat(filepath.Join(dir, s.name, "run"))
		if len(needs) != len(s.needs) || (err == nil) == s.oneshot {
			t.Errorf("%+v was not written so", s)
		}
	}
}

func TestMedian(t *testing.T) {
	if m := median([]time.Duration{9, 1, 5, 2, 7}); m != 5 {
		t.Errorf("median %d", m)
	}
}
