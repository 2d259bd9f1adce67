package runner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// Errors that callers decide on; they are wrapped.
var (
	// ErrUnknownJob: the runner has no job with this id, or no longer.
	ErrUnknownJob = errors.New("the oneshot runner knows no such job")
	// ErrConnection: the runner went away before it answered.
	ErrConnection = errors.New("the oneshot runner has gone")
)

// RefusedError is what the runner said instead of doing what it was asked for.
type RefusedError struct{ Reason string }

// Error is the runner's reason.
func (e *RefusedError) Error() string { return "the oneshot runner refuses: " + e.Reason }

// Client is a connection to a runner, for one request at a time. When a context
// ends during a request, the connection is of no more use.
type Client struct{ c conn }

// Dial connects to the socket of a runner and checks that it speaks our protocol.
func Dial(ctx context.Context, socket string) (*Client, error) {
	u, err := dial(ctx, socket)
	if err != nil {
		return nil, fmt.Errorf("cannot reach the oneshot runner: %w", err)
	}
	c := &Client{conn{u}}
	var hello Hello
	err = c.exchange(ctx, func() error {
		_, err := c.c.receive(&hello)
		return err
	})
	switch {
	case err != nil:
	case hello.Format != Format:
		err = fmt.Errorf("the oneshot runner speaks %q and not %q", hello.Format, Format)
	case hello.Error != "":
		err = &RefusedError{hello.Error}
	default:
		return c, nil
	}
	u.Close()
	return nil, err
}

func dial(ctx context.Context, socket string) (*net.UnixConn, error) {
	path, done, err := ShortPath(socket)
	if err != nil {
		return nil, err
	}
	defer done()
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	return c.(*net.UnixConn), nil
}

// ShortPath gives a path of a socket that is not longer than a socket's may be,
// which counts until done is called.
func ShortPath(socket string) (path string, done func(), err error) {
	const most = 107
	if len(socket) <= most {
		return socket, func() {}, nil
	}
	dir, err := unix.Open(filepath.Dir(socket), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", nil, &os.PathError{Op: "open", Path: filepath.Dir(socket), Err: err}
	}
	return "/proc/self/fd/" + strconv.Itoa(dir) + "/" + filepath.Base(socket), func() { unix.Close(dir) }, nil
}

// Close ends the connection. A program that was begun runs on.
func (c *Client) Close() error { return c.c.Close() }

// Prepare drops the result of an old job with this id. It is an error if that job
// still runs.
func (c *Client) Prepare(ctx context.Context, id string) error {
	_, err := c.ask(ctx, Request{Op: OpPrepare, ID: id}, nil)
	return err
}

// Run runs a program and waits for its end. req is without Op and Stdio; streams
// are the program's standard streams, three or none. If the error wraps
// [ErrConnection] nobody knows how the program ends; if it is a [*RefusedError]
// none was started; else it is the cause of ctx's end, and the program runs on.
func (c *Client) Run(ctx context.Context, req Request, streams []*os.File) (Result, error) {
	req.Op, req.Stdio = OpRun, len(streams) > 0
	if _, err := c.ask(ctx, req, streams); err != nil {
		return Result{}, err
	}
	return c.awaitResult(ctx)
}

// Wait waits for the end of a job that somebody has begun. The error wraps
// [ErrUnknownJob] if there is none.
func (c *Client) Wait(ctx context.Context, id string) (Result, error) {
	reply, err := c.ask(ctx, Request{Op: OpWait, ID: id}, nil)
	if err != nil {
		return Result{}, err
	}
	return *reply.Result, nil
}

// Forget drops the result of a job.
func (c *Client) Forget(ctx context.Context, id string) error {
	_, err := c.ask(ctx, Request{Op: OpForget, ID: id}, nil)
	return err
}

// Kill tells a job's processes to end.
func (c *Client) Kill(ctx context.Context, id string) error {
	_, err := c.ask(ctx, Request{Op: OpKill, ID: id}, nil)
	return err
}

// Jobs lists the jobs that run, and the results that were not forgotten.
func (c *Client) Jobs(ctx context.Context) ([]Job, error) {
	reply, err := c.ask(ctx, Request{Op: OpList}, nil)
	return reply.Jobs, err
}

// ask sends a request and receives the answer to it.
func (c *Client) ask(ctx context.Context, req Request, streams []*os.File) (Reply, error) {
	var reply Reply
	err := c.exchange(ctx, func() error {
		if err := c.c.send(req, streams); err != nil {
			return err
		}
		files, err := c.c.receive(&reply)
		closeAll(files)
		return err
	})
	switch {
	case err != nil:
		return Reply{}, err
	case reply.Unknown:
		return Reply{}, ErrUnknownJob
	case reply.Error != "":
		return Reply{}, &RefusedError{reply.Error}
	case req.Op == OpWait && reply.Result == nil:
		return Reply{}, fmt.Errorf("%w: no result", errMessage)
	}
	return reply, nil
}

func (c *Client) awaitResult(ctx context.Context) (Result, error) {
	var reply Reply
	err := c.exchange(ctx, func() error {
		files, err := c.c.receive(&reply)
		closeAll(files)
		return err
	})
	switch {
	case err != nil:
		return Result{}, err
	case reply.Result == nil:
		return Result{}, fmt.Errorf("%w: no result", errMessage)
	}
	return *reply.Result, nil
}

// exchange talks, until ctx ends.
func (c *Client) exchange(ctx context.Context, talk func() error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	stop := context.AfterFunc(ctx, func() { c.c.Close() })
	err := talk()
	if !stop() && err != nil {
		return context.Cause(ctx)
	}
	if err == nil {
		return nil
	}
	for _, gone := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, gone) {
			return fmt.Errorf("%w: %w", ErrConnection, err)
		}
	}
	return fmt.Errorf("cannot talk to the oneshot runner: %w", err)
}
