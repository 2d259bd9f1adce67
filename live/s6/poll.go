package s6

import (
	"context"
	"errors"
	"os"
	"time"
)

// withDeadline runs op, which reads from f, and makes it end when ctx does: the
// error is the cause of that then. What op has read before stays read.
func withDeadline(ctx context.Context, f *os.File, op func() error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	fired := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		f.SetReadDeadline(time.Unix(1, 0))
		close(fired)
	})
	err := op()
	if !stop() {
		<-fired
		f.SetReadDeadline(time.Time{})
	}
	if errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
