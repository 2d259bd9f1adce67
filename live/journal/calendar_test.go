package journal

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestCalendar reads times of one day and of others, and texts that are no times, as
// time.Time does.
func TestCalendar(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var c calendar
		for range 10 {
			base := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
			at := base.Add(time.Duration(rapid.Int64Range(-1<<47, 1<<47).Draw(rt, "nanoseconds")))
			text := fmt.Sprintf("%q", at.Format(time.RFC3339Nano))
			if rapid.Bool().Draw(rt, "spoilt") {
				i := rapid.IntRange(1, len(text)-2).Draw(rt, "where")
				text = text[:i] + rapid.StringMatching(`[0-9.:TZ+-]{0,2}`).Draw(rt, "what") + text[i+1:]
			}
			var want time.Time
			err := want.UnmarshalJSON([]byte(text))
			got, gotErr := c.parse([]byte(text))
			if (err == nil) != (gotErr == nil) || err == nil && (got != want || got.Location() != want.Location()) {
				rt.Fatalf("%s: %v, %v instead of %v, %v", text, got, gotErr, want, err)
			}
		}
	})
	var c calendar
	for _, text := range []string{
		`"2026-11-20T12:17:18.01Z"`, `"2026-11-20T12:17:18Z"`, `"2026-11-20T23:59:59.999999999Z"`, `"2026-11-20T00:00:00.000Z"`,
		`"2026-11-20T24:00:00Z"`, `"2026-11-20T12:60:00Z"`, `"2026-11-20T12:00:60Z"`, `"2026-11-20T12:00:00.Z"`, `"2026-11-20T12:00:00.1234567891Z"`,
		`"2026-11-20T12:00:00,5Z"`, `"2026-11-20T12:00:00+01:00"`, `"2026-11-20T12:00:00"`, `"2026-11-20T"`, `""`,
	} {
		var want time.Time
		err := want.UnmarshalJSON([]byte(text))
		if got, gotErr := c.parse([]byte(text)); (err == nil) != (gotErr == nil) || err == nil && !got.Equal(want) {
			t.Errorf("%s: %v, %v instead of %v, %v", text, got, gotErr, want, err)
		}
	}
}
