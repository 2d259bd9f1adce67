package change_test

import (
	"errors"
	"testing"

	"strata/live/change"
)

func TestTransitions(t *testing.T) {
	legal := map[[2]uint8]change.State{
		{uint8(change.Down), uint8(change.BeginStart)}:    change.Starting,
		{uint8(change.Up), uint8(change.BeginStop)}:       change.Stopping,
		{uint8(change.Unknown), uint8(change.BeginStart)}: change.Starting,
		{uint8(change.Unknown), uint8(change.BeginStop)}:  change.Stopping,
		{uint8(change.Starting), uint8(change.Succeed)}:   change.Up,
		{uint8(change.Starting), uint8(change.Fail)}:      change.Down,
		{uint8(change.Starting), uint8(change.Lose)}:      change.Unknown,
		{uint8(change.Stopping), uint8(change.Succeed)}:   change.Down,
		{uint8(change.Stopping), uint8(change.Fail)}:      change.Up,
		{uint8(change.Stopping), uint8(change.Lose)}:      change.Unknown,
		{uint8(change.Up), uint8(change.BeginReload)}:     change.Reloading,
		{uint8(change.Reloading), uint8(change.Succeed)}:  change.Up,
		{uint8(change.Reloading), uint8(change.Fail)}:     change.Up,
		{uint8(change.Reloading), uint8(change.Lose)}:     change.Up,
	}
	for s := change.State(0); s < 8; s++ {
		for m := change.Move(0); m < 8; m++ {
			want, ok := legal[[2]uint8{uint8(s), uint8(m)}]
			got, err := s.After(m)
			if ok != (err == nil) || ok && got != want {
				t.Errorf("%s, %s: got %s, %v", s, m, got, err)
			}
			var bad *change.TransitionError
			if err != nil && (!errors.As(err, &bad) || bad.From != s || bad.Move != m) {
				t.Errorf("%s, %s: error %v does not say so", s, m, err)
			}
		}
	}
}
