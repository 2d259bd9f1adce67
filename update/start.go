package update

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"strata/compile/db"
	"strata/live/change"
	"strata/live/journal"
	"strata/live/s6"
)

// start does the third phase: it brings up what is to come up, then tells to
// reload.
func (a *applier) start(ctx context.Context) error {
	st, err := a.w.State()
	if err != nil {
		return err
	}
	if a.result.Start, err = a.run(ctx, a.new, st.Services, change.Start, a.byOp[OpStart]); err != nil {
		return err
	}
	if len(a.byOp[OpReload]) == 0 || a.result.Start.Quit != nil {
		return nil
	}
	env, err := a.env.Engine(a.new, st.Services)
	if err != nil {
		return err
	}
	for _, action := range a.byOp[OpReload] {
		j, err := a.newID(action)
		if err == nil {
			err = a.reload(ctx, env, j)
		}
		if err != nil {
			a.result.Trouble = append(a.result.Trouble, fmt.Errorf("cannot reload %s: %w", action.Service, err))
			continue
		}
		if err := a.done(action); err != nil {
			return err
		}
	}
	return nil
}

// reload sends a longrun its reload signal, or runs a oneshot's reload program.
func (a *applier) reload(ctx context.Context, env change.Env, j id) error {
	t := env.Targets(j)
	if t.Type == db.Oneshot {
		return env.Run(ctx, t, journal.PhaseReload, t.TimeoutUp, func() error {
			return a.w.Append(a.env.Cause, journal.Begin{Slot: t.Slot, Phase: journal.PhaseReload})
		})
	}
	svc, err := a.new.DB.Service(j)
	if err != nil {
		return err
	}
	cmd, err := reloadCommand(svc.ReloadSignal)
	if err != nil {
		return err
	}
	return s6.SendControl(a.servicedir(j), cmd)
}

func (a *applier) servicedir(j id) string { return a.w.Servicedir(a.new.Slot(j)) }

// reloadCommand is the command for the signal that a reload-signal file names:
// a number or a name, with or without SIG. Without a file it is SIGHUP.
func reloadCommand(file []byte) (s6.Command, error) {
	text := strings.TrimSpace(string(file))
	sig := syscall.SIGHUP
	if text != "" {
		if n, err := strconv.ParseUint(text, 10, 7); err == nil {
			sig = syscall.Signal(n)
		} else if sig = unix.SignalNum("SIG" + strings.TrimPrefix(strings.ToUpper(text), "SIG")); sig == 0 {
			return 0, fmt.Errorf("%q is no signal", text)
		}
	}
	cmd, ok := s6.SignalCommand(sig)
	if !ok {
		return 0, fmt.Errorf("s6 cannot send %s", sig)
	}
	return cmd, nil
}
