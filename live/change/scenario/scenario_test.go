package scenario_test

import (
	"testing"
	"testing/synctest"

	"strata/live/change/scenario"
)

func TestL13Order(t *testing.T)                 { play(t, "L13") }
func TestL14FailFast(t *testing.T)              { play(t, "L14") }
func TestL26Signals(t *testing.T)               { play(t, "L26") }
func TestL29Readiness(t *testing.T)             { play(t, "L29") }
func TestL30ExplicitDown(t *testing.T)          { play(t, "L30") }
func TestL31StopsAndStartsMeeting(t *testing.T) { play(t, "L31") }

// play plays the scenarios of a lesson without processes.
func play(t *testing.T, lesson string) {
	for _, s := range scenario.All(lesson) {
		t.Run(s.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { scenario.Play(t, scenario.NewFake(t, s.Parse()), s) })
		})
	}
}

// A signal, or two, at every point.
func TestL26EveryPoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { scenario.Interrupt(t, scenario.NewFake(t, scenario.Mixed()), scenario.Mixed()) })
}

func TestL13Random(t *testing.T) {
	for seed := range uint64(100) {
		synctest.Test(t, func(t *testing.T) {
			services := scenario.Random(seed, 30)
			scenario.UpAndDown(t, scenario.NewFake(t, services), services)
		})
		if t.Failed() {
			t.Fatalf("with seed %d", seed)
		}
	}
}
