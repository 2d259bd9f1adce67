package live_test

import (
	"errors"
	"strings"
	"testing"

	"strata/live"
)

func TestHolderRoom(t *testing.T) {
	const reserve = 64 + 253 + 19
	for _, c := range []struct {
		pipes int
		limit uint64
		want  int // 0: too many
	}{
		{0, 4096, 2000},
		{500, 4096, 2000},
		{501, 4096, 2004},
		{2000, 1 << 62, 8000},
		{2000, 5000, 5000 - reserve},
		{2000, 4000 + reserve, 4000},
		{2000, 4000 + reserve - 1, 0},
		{0, reserve, 1},
		{0, reserve - 1, 0},
		{1, reserve, 0},
	} {
		got, err := live.HolderRoom(c.pipes, c.limit)
		var room *live.RoomError
		if got != c.want || (c.want == 0) != errors.As(err, &room) {
			t.Errorf("%d pipes, %d files: %d, %v; want %d", c.pipes, c.limit, got, err, c.want)
		}
	}
	_, err := live.HolderRoom(2000, 1024)
	if err == nil || !strings.Contains(err.Error(), "2000 pipes") || !strings.Contains(err.Error(), "allows it 1024") || !strings.Contains(err.Error(), "4336 or more") {
		t.Errorf("%v", err)
	}
}
