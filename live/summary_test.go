package live

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"strata/live/journal"
)

// TestSummaryText writes what encoding/json does, whatever the names hold.
func TestSummaryText(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := Summary{Format: SummaryFormat, Seq: 7, Epoch: journal.Epoch{Boot: "b", PID: 1, Start: 2}, Services: []SummaryService{}}
		for range rapid.IntRange(0, 20).Draw(rt, "services") {
			name := rapid.OneOf(
				rapid.SampledFrom([]string{"web", "a b", `"`, `\`, "<", ">", "&", "\x00", "\x7f", "\u2028", "\xff"}), rapid.String(),
			).Draw(rt, "name")
			flag := rapid.Bool()
			s.Services = append(s.Services, SummaryService{name, "longrun", flag.Draw(rt, "up"), flag.Draw(rt, "wanted"), flag.Draw(rt, "unknown")})
		}
		want, err := json.Marshal(s)
		if err != nil {
			rt.Fatal(err)
		}
		var got strings.Builder
		if err := printSummary(&got, s, slices.Values(s.Services)); err != nil || got.String() != string(want)+"\n" {
			rt.Errorf("%v\n%s\nwant\n%s", err, &got, want)
		}
	})
}
