package runner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Errors that callers decide on; they are wrapped.
var (
	// ErrUnknownJob: the runner has no job with this id, or no longer.
	ErrUnknownJob = errors.New("the oneshot runner knows no such job")
	// ErrConnection: the runner went away before it answered.
	ErrConnection = errors.New("the oneshot runner has gone")
	// ErrNotSent: the runner went away before it was asked. It comes with
	// [ErrConnection].
	ErrNotSent = errors.New("it was not asked")
)

// RefusedError is what the runner said instead of doing what it was asked for.
type RefusedError struct{ Reason string }

// Error is the runner's reason.
func (e *RefusedError) Error() string { return "the oneshot runner refuses: " + e.Reason }

// Client is a connection to a runner, for any number of requests, one at a time.
// When a context ends during a request, the connection is of no more use.
type Client struct {
	mu      sync.Mutex
	c       conn
	buf     []byte
	program Identity
}

// Dial connects to the socket of a runner and checks that it speaks our protocol.
func Dial(ctx context.Context, socket string) (*Client, error) {
	sock, err := dialSocket(socket)
	if err != nil {
		return nil, fmt.Errorf("cannot reach the oneshot runner: %w", err)
	}
	c := &Client{c: conn{socket: sock}, buf: make([]byte, chunk)}
	if err := c.greet(ctx); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// greet receives the server's first message.
func (c *Client) greet(ctx context.Context) error {
	var hello Hello
	err := c.exchange(ctx, func() error { return c.receive(&hello) })
	switch {
	case err != nil:
		return err
	case hello.Error != "":
		return &RefusedError{hello.Error}
	case !slices.Contains(hello.Formats, Format):
		return fmt.Errorf("the oneshot runner speaks %q and not %q", hello.Formats, Format)
	}
	c.program = hello.Program
	return nil
}

// Program is what the runner runs.
func (c *Client) Program() Identity { return c.program }

// Close ends the connection. A program that was begun runs on.
func (c *Client) Close() error {
	c.c.close()
	return nil
}

// Prepare drops the result of an old job with this id. It is an error if that job
// still runs.
func (c *Client) Prepare(ctx context.Context, id string) error {
	_, err := c.ask(ctx, Request{Op: OpPrepare, ID: id}, nil)
	return err
}

// Clear drops all results that there are. Jobs that run are kept.
func (c *Client) Clear(ctx context.Context) error {
	_, err := c.ask(ctx, Request{Op: OpClear}, nil)
	return err
}

// beginLimit is how long a runner may take to say that it has begun a job, once nobody
// wants to wait for its end any more.
const beginLimit = 5 * time.Second

// lingering gives a context that ends that much later than ctx, or when end is called.
func lingering(ctx context.Context) (late context.Context, end func()) {
	late, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		limit, over := context.WithTimeout(late, beginLimit)
		defer over()
		<-limit.Done()
		cancel(context.Cause(ctx))
	})
	return late, func() {
		stop()
		cancel(nil)
	}
}

// Run runs a program and waits for its end. req is without Op and Stdio; streams
// are the program's standard streams, three or none. If the error wraps
// [ErrConnection] nobody knows how the program ends, or, if it wraps [ErrNotSent]
// too, none was started; if it is a [*RefusedError] none was started; else it is
// the cause of ctx's end, and the program runs on.
func (c *Client) Run(ctx context.Context, req Request, streams []*os.File) (Result, error) {
	req.Op, req.Stdio = OpRun, len(streams) > 0
	if ctx.Err() != nil {
		return Result{}, context.Cause(ctx)
	}
	// A request that was sent is taken, sooner or later. Whoever comes next must not be
	// told that there is no such job, and meet it then.
	late, end := lingering(ctx)
	_, err := c.ask(late, req, streams)
	end()
	if err != nil {
		return Result{}, err
	}
	var reply Reply
	err = c.exchange(ctx, func() error { return c.receive(&reply) })
	switch {
	case err != nil:
		return Result{}, err
	case reply.Result == nil:
		return Result{}, fmt.Errorf("%w: no result", errMessage)
	}
	return *reply.Result, nil
}

// Wait waits for the end of a job that somebody has begun; with a token it is the
// job with that one. The error wraps [ErrUnknownJob] if there is none.
func (c *Client) Wait(ctx context.Context, id, token string) (Result, error) {
	reply, err := c.ask(ctx, Request{Op: OpWait, ID: id, Token: token}, nil)
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

// Renew makes the runner go on with the program that its definition names, if
// that is another one than it runs. Jobs, results and connections stay, this one
// too. The error is a [*RefusedError] if the runner goes on as it is.
func (c *Client) Renew(ctx context.Context) error {
	_, err := c.ask(ctx, Request{Op: OpRenew}, nil)
	return err
}

// ask sends a request and receives the answer to it.
func (c *Client) ask(ctx context.Context, req Request, streams []*os.File) (Reply, error) {
	var reply Reply
	err := c.exchange(ctx, func() error {
		if err := c.send(req, streams); err != nil {
			return err
		}
		return c.receive(&reply)
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

// send sends a request and the descriptors of the streams.
func (c *Client) send(req Request, streams []*os.File) error {
	b, err := marshal(req)
	if err != nil {
		return err
	}
	fds := make([]int, len(streams))
	for i, f := range streams {
		fds[i] = int(f.Fd())
	}
	c.c.out = b
	err = c.c.flush(&c.mu, fds...)
	if err == unix.EPIPE && len(c.c.out) == len(b) {
		err = fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	return err
}

// receive receives a message.
func (c *Client) receive(v any) error {
	for {
		body, err := split(c.c.in)
		if err != nil {
			return err
		}
		if body != nil {
			err = unmarshal(body, v, false)
			c.c.take(body)
			return err
		}
		if err := c.c.receive(&c.mu, c.buf); err != nil {
			return err
		}
	}
}

// exchange talks, until ctx ends.
func (c *Client) exchange(ctx context.Context, talk func() error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	stop := context.AfterFunc(ctx, func() { c.c.f.Close() })
	err := talk()
	if !stop() && err != nil {
		return context.Cause(ctx)
	}
	if err == nil {
		return nil
	}
	for _, gone := range []error{io.EOF, unix.ECONNRESET, unix.EPIPE} {
		if errors.Is(err, gone) {
			return fmt.Errorf("%w: %w", ErrConnection, err)
		}
	}
	return fmt.Errorf("cannot talk to the oneshot runner: %w", err)
}

// Gone says whether the runner has closed the connection, as far as is known.
func (c *Client) Gone() bool {
	var b [1]byte
	n, _, err := unix.Recvfrom(c.c.fd, b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
	return n == 0 && err == nil || err != nil && err != unix.EAGAIN
}
