package s6

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// unhex turns a dump, with spaces between the fields, into bytes.
func unhex(t testing.TB, s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The dumps were written by s6-supervise 2.11 and 2.15.
var dumps = []struct {
	name, hex string
	is        []string // the predicates that hold
	pid       int
	wait      string
}{
	{
		"up", "400000006b001bf90aaf98c0 400000006b001bf90aaa46d0 00000000000042c6 0000 04",
		[]string{"up", "wantup"},
		0x42c6, "exit 0",
	},
	{
		"up, paused", "400000006b001bf90aaf98c0 400000006b001bf90aaa46d0 00000000000042c6 000f 05",
		[]string{"up", "wantup", "paused"},
		0x42c6, "signal SIGTERM",
	},
	{
		"up, ready", "400000006b001bfc2154d062 400000006b001bfc3952ac66 00000000000042c6 0000 0c",
		[]string{"up", "upready", "wantup"},
		0x42c6, "exit 0",
	},
	{
		"up, not wanted", "400000006b001bfc2154d062 400000006b001bfc214d04cf 00000000000042c6 000f 00",
		[]string{"up"},
		0x42c6, "signal SIGTERM",
	},
	{
		"finishing", "400000006b001bff222f7acd 400000006b001bff22207138 00000000000042c7 000f 02",
		[]string{"down"},
		0x42c7, "signal SIGTERM",
	},
	{
		"down", "400000006b001bff222f7acd 400000006b001c000496b781 0000000000000000 000f 08",
		[]string{"down", "downready"},
		0, "signal SIGTERM",
	},
	{
		"failed for good", "400000006b001bff222f7acd 400000006b001c000496b781 0000000000000000 0300 08",
		[]string{"down", "downready"},
		0, "exit 3",
	},
	{
		"waiting to restart", "400000006b001bff222f7acd 400000006b001c000496b781 0000000000000000 0700 0c",
		[]string{"down", "downready", "wantup", "restarting"},
		0, "exit 7",
	},
	{
		"never started (2.11)", "400000006b001bff222f7acd 400000006b001bff222f7acd 0000000000000000 0000 08",
		[]string{"down", "downready", "notstarted"},
		0, "exit 0",
	},
	{
		"never started (2.15)", "400000006b001bff222f7acd 400000006b001bff222f7acd 0000000000000000 0000 09",
		[]string{"down", "downready", "notstarted"},
		0, "exit 0",
	},
	{
		"dumped core", "400000006b001bff222f7acd 400000006b001c000496b781 0000000000000000 008b 08",
		[]string{"down", "downready"},
		0, "signal SIGSEGV (core dumped)",
	},
}

func TestParseStatus(t *testing.T) {
	for _, test := range dumps {
		t.Run(test.name, func(t *testing.T) {
			b := unhex(t, test.hex)
			st, err := ParseStatus(b)
			if err != nil {
				t.Fatal(err)
			}
			var is []string
			for _, p := range []struct {
				name  string
				holds bool
			}{
				{"up", st.Up()},
				{"upready", st.UpReady()},
				{"down", st.Down()},
				{"downready", st.DownReady()},
				{"wantup", st.WantUp},
				{"paused", st.IsPaused()},
				{"notstarted", st.NotStarted()},
				{"restarting", st.WaitingToRestart()},
			} {
				if p.holds {
					is = append(is, p.name)
				}
			}
			if got, want := strings.Join(is, " "), strings.Join(test.is, " "); got != want {
				t.Errorf("is %s, want %s", got, want)
			}
			if st.PID != test.pid || st.Wait.String() != test.wait {
				t.Errorf("pid %d, %s", st.PID, st.Wait)
			}
			if again := st.AppendPacked(nil); !bytes.Equal(again, b) {
				t.Errorf("packed %x, was %x", again, b)
			}
		})
	}
}

func TestWaitStatus(t *testing.T) {
	for _, test := range []struct {
		w      WaitStatus
		code   int
		signal syscall.Signal
		core   bool
	}{
		{0, 0, 0, false},
		{0x0700, 7, 0, false},
		{0xff00, 255, 0, false},
		{0x000f, -1, syscall.SIGTERM, false},
		{0x0086, -1, syscall.SIGABRT, true},
	} {
		if test.w.ExitCode() != test.code || test.w.Signal() != test.signal || test.w.CoreDumped() != test.core {
			t.Errorf("%#04x: exit %d, %v, core %v", uint16(test.w), test.w.ExitCode(), test.w.Signal(), test.w.CoreDumped())
		}
	}
}

func TestReadStatus(t *testing.T) {
	dir := t.TempDir()
	if _, err := ReadStatus(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "supervise"), 0o700); err != nil {
		t.Fatal(err)
	}
	good := unhex(t, dumps[0].hex)
	flags, pid := bytes.Clone(good), bytes.Clone(good)
	flags[34] = 0x10
	pid[24] = 1
	for name, b := range map[string][]byte{
		"empty": nil, "short": good[:34], "long": append(bytes.Clone(good), 0), "flags": flags, "pid": pid,
	} {
		if err := os.WriteFile(filepath.Join(dir, "supervise/status"), b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadStatus(dir); !errors.Is(err, ErrBadStatus) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "supervise/status"), good, 0o600); err != nil {
		t.Fatal(err)
	}
	if st, err := ReadStatus(dir); err != nil || !st.Up() {
		t.Errorf("good: %+v, %v", st, err)
	}
	// A FIFO in its place must not hang the reader.
	os.Remove(filepath.Join(dir, "supervise/status"))
	if err := syscall.Mkfifo(filepath.Join(dir, "supervise/status"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadStatus(dir); !errors.Is(err, ErrBadStatus) {
		t.Errorf("FIFO: %v", err)
	}
}

func TestDeaths(t *testing.T) {
	b := unhex(t, "400000006b001bff222f7acd 8f 0f 400000006b001c0016e50d38 03 00")
	deaths := ParseDeaths(b)
	if len(deaths) != 2 || deaths[0].Code != 143 || deaths[0].Signal != syscall.SIGTERM || deaths[1].Code != 3 || deaths[1].Signal != 0 {
		t.Errorf("deaths %+v", deaths)
	}
	if d := deaths[1].Stamp.Sub(deaths[0].Stamp); d != time.Second+0x16e50d38-0x222f7acd {
		t.Errorf("%v between them", d)
	}
	if deaths := ParseDeaths(b[1:]); len(deaths) != 0 {
		t.Errorf("cut: %+v", deaths)
	}
	if deaths, err := ReadDeaths(t.TempDir()); err != nil || len(deaths) != 0 {
		t.Errorf("missing: %v, %v", deaths, err)
	}
}

func FuzzParseStatus(f *testing.F) {
	for _, d := range dumps {
		f.Add(unhex(f, d.hex))
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		st, err := ParseStatus(b)
		if err != nil {
			if !errors.Is(err, ErrBadStatus) {
				t.Errorf("error %v", err)
			}
			return
		}
		if again := st.AppendPacked(nil); !bytes.Equal(again, b) {
			t.Errorf("%x became %x", b, again)
		}
		if st.Up() == st.Down() {
			t.Error("up and down")
		}
		_ = st.Wait.String()
		_ = st.Stamp.Time()
	})
}

func FuzzParseDeaths(f *testing.F) {
	f.Add([]byte("@\x00\x00\x00k\x00\x1b\xff\x22\x2f\x7a\xcd\x8f\x0f"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if n := len(ParseDeaths(b)); n != 0 && n*deathSize != len(b) {
			t.Errorf("%d deaths in %d bytes", n, len(b))
		}
	})
}

func BenchmarkReadStatus(b *testing.B) {
	dir := b.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "supervise"), 0o700); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "supervise/status"), unhex(b, dumps[0].hex), 0o600); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ReadStatus(dir); err != nil {
			b.Fatal(err)
		}
	}
}
