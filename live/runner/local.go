package runner

import (
	"context"
	"os"
)

// Local runs a program in this process, as a server with the same configuration
// would, and waits for its end: for who cannot have a server do it. req and streams
// are those of [Client.Run]. The error is the reason why none was started, or the
// cause of ctx's end, and then the program runs on.
func Local(ctx context.Context, cfg Config, req Request, streams []*os.File) (Result, error) {
	req.Op, req.Stdio = OpRun, len(streams) > 0
	files := make([]int, len(streams))
	for i, f := range streams {
		files[i] = int(f.Fd())
	}
	j, err := NewServer(cfg).begin(req, files)
	if err != nil {
		return Result{}, err
	}
	select {
	case <-j.done:
		return *j.Result, nil
	case <-ctx.Done():
		return Result{}, context.Cause(ctx)
	}
}
