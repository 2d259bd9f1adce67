package s6_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"strata/live/s6"
)

// A service is started and waited for; the caller sets the limit.
func ExampleWaitFor() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	st, err := s6.WaitFor(ctx, "/run/service/sshd", s6.GoalUpReady(), s6.CmdUp)
	switch {
	case errors.Is(err, s6.ErrNotSupervised):
		fmt.Println("sshd has no supervisor")
	case errors.Is(err, s6.ErrPermanentFailure):
		fmt.Println("sshd has given up:", st.Wait)
	case err != nil:
		fmt.Println(err)
	default:
		fmt.Println("sshd is ready, pid", st.PID)
	}
	// Output: sshd has no supervisor
}

func ExampleParseStatus() {
	file, err := hex.DecodeString("400000006b001bff222f7acd400000006b001c000496b7810000000000000000000f08")
	if err != nil {
		fmt.Println(err)
		return
	}
	st, err := s6.ParseStatus(file)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(st.DownReady(), st.WantUp, st.Wait)
	fmt.Println(st.Stamp.Time().UTC().Format(time.DateTime), st.ReadyStamp.Sub(st.Stamp))
	// Output:
	// true false signal SIGTERM
	// 2026-11-20 10:07:22 503.449268ms
}

// Two services get their supervisors with one rescan.
func ExampleLink() {
	entries := []s6.Entry{
		{Name: "dbus", Dir: "/run/strata/live/sv/1"},
		{Name: "sshd", Dir: "/run/strata/live/sv/2"},
	}
	for _, e := range entries {
		if err := s6.Seed(e.Dir, s6.OwnerOnly()); err != nil {
			fmt.Println(err)
			return
		}
	}
	if err := s6.Link(context.Background(), "/run/service", entries, s6.DefaultStall); err != nil {
		fmt.Println(err)
	}
}
