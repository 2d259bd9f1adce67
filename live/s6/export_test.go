package s6

import (
	"context"
	"time"
)

// WaitForWithin is WaitFor with another start limit.
func WaitForWithin(ctx context.Context, dir string, goal Goal, limit time.Duration, cmds ...Command) (Status, error) {
	return new(Loop).waitFor(ctx, dir, goal, limit, cmds)
}
