package fdholder

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"strata/live/s6"
)

// Error is a request that the daemon refused. It unwraps to the daemon's errno:
// syscall.EBUSY (the name is taken), ENOENT (there is none), EPERM (the rules
// forbid it), ENFILE (the holder is full).
type Error struct {
	Op    string // "store", "retrieve", "delete", "list", "get all of" or "set all of"
	ID    string // the name, if one was given
	Errno syscall.Errno
}

func (e *Error) Error() string { return describe(e.Op, e.ID) + ": " + e.Errno.Error() }

// describe says what was not possible.
func describe(op, id string) string {
	if id == "" {
		return "cannot " + op + " fd-holder"
	}
	return "cannot " + op + " " + id + ": fd-holder"
}

// Unwrap gives the errno.
func (e *Error) Unwrap() error { return e.Errno }

// Held is one descriptor in the holder.
type Held struct {
	ID     string   // 1 to 255 bytes without a null
	Expiry s6.Stamp // when the holder closes it; zero, when stored: never
	File   *os.File
}

// Client is a connection to the daemon. It can be used by several goroutines, whose
// requests follow one another. After an error other than [*Error] it is useless.
type Client struct {
	mu    sync.Mutex
	conn  *net.UnixConn
	never atomic.Uint64 // numbers the expiries that do not come
}

// Dial connects to the daemon's socket.
func Dial(ctx context.Context, socket string) (*Client, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, fmt.Errorf("cannot connect to fd-holder: %w", err)
	}
	return newClient(conn.(*net.UnixConn)), nil
}

func newClient(conn *net.UnixConn) *Client {
	c := &Client{conn: conn}
	c.never.Store(uint64(time.Now().UnixNano())) // other clients have numbers too
	return c
}

// Close ends the connection. What is stored stays.
func (c *Client) Close() error { return c.conn.Close() }

// Store puts a copy of h.File into the holder, under h.ID.
func (c *Client) Store(ctx context.Context, h Held) error {
	body, err := c.appendRecord([]byte{'S'}, h)
	if err != nil {
		return wrap("store", h.ID, err)
	}
	m, err := c.request(ctx, "store", h.ID, body, []*os.File{h.File})
	m.close()
	return err
}

// Retrieve fetches the descriptor named id. If remove is true the holder gives it
// away and keeps no copy.
func (c *Client) Retrieve(ctx context.Context, id string, remove bool) (*os.File, error) {
	body := []byte{'R', 0}
	if remove {
		body[1] = 1
	}
	body, err := appendID(body, id)
	if err != nil {
		return nil, wrap("retrieve", id, err)
	}
	m, err := c.request(ctx, "retrieve", id, body, nil)
	if err != nil {
		return nil, err
	}
	if len(m.files) != 1 {
		m.close()
		return nil, wrap("retrieve", id, fmt.Errorf("%w: %d descriptors", errProtocol, len(m.files)))
	}
	return m.files[0], nil
}

// Delete closes the descriptor named id.
func (c *Client) Delete(ctx context.Context, id string) error {
	body, err := appendID([]byte{'D'}, id)
	if err != nil {
		return wrap("delete", id, err)
	}
	m, err := c.request(ctx, "delete", id, body, nil)
	m.close()
	return err
}

// List gives the names of all that is held, sorted.
func (c *Client) List(ctx context.Context) ([]string, error) {
	m, err := c.request(ctx, "list", "", []byte{'L'}, nil)
	if err != nil {
		return nil, err
	}
	m.close()
	ids, err := parseList(m.body[1:])
	if err != nil {
		return nil, wrap("list", "", err)
	}
	slices.Sort(ids)
	return ids, nil
}

// GetDump fetches a copy of everything. The caller closes the files. The daemon of
// s6 2.11 drops the connection if it holds more than 253 descriptors: List and
// Retrieve work with any number.
func (c *Client) GetDump(ctx context.Context) ([]Held, error) {
	var all []Held
	err := c.exchange(ctx, func() error {
		m, err := c.ask("get all of", "", []byte{'?'}, nil)
		if err != nil {
			return err
		}
		m.close()
		if len(m.body) != 9 {
			return errProtocol
		}
		trips, total := binary.BigEndian.Uint32(m.body[1:]), binary.BigEndian.Uint32(m.body[5:])
		for range trips {
			held, err := c.getPart()
			all = append(all, held...)
			if err != nil {
				return err
			}
		}
		if len(all) != int(total) {
			return fmt.Errorf("%w: %d descriptors instead of %d", errProtocol, len(all), total)
		}
		return nil
	})
	if err != nil {
		for _, h := range all {
			h.File.Close()
		}
		return nil, wrap("get all of", "", err)
	}
	return all, nil
}

// getPart receives one message of a dump.
func (c *Client) getPart() ([]Held, error) {
	m, err := receive(c.conn)
	if err != nil {
		return nil, err
	}
	records, err := parseRecords(m.body, len(m.files))
	if err != nil {
		m.close()
		return nil, err
	}
	held := make([]Held, len(records))
	for i, r := range records {
		held[i] = Held{r.id, r.expiry, m.files[i]}
	}
	return held, nil
}

// SetDump stores all of these in one go, or none with ENFILE where there is no room
// for all. Unlike Store it takes names that are held already: the old descriptor
// is replaced.
func (c *Client) SetDump(ctx context.Context, all []Held) error {
	if len(all) == 0 {
		return nil
	}
	err := c.exchange(ctx, func() error {
		m, err := c.ask("set all of", "", binary.BigEndian.AppendUint32([]byte{'!'}, uint32(len(all))), nil)
		if err != nil {
			return err
		}
		m.close()
		for rest := all; len(rest) > 0; {
			n := min(len(rest), maxFDs)
			if err := c.setPart(rest[:n], n == len(rest)); err != nil {
				return err
			}
			rest = rest[n:]
		}
		return nil
	})
	return wrap("set all of", "", err)
}

// setPart sends one message of a dump. The daemon answers EAGAIN until the last.
func (c *Client) setPart(part []Held, last bool) error {
	body := []byte{'.'}
	files := make([]*os.File, len(part))
	for i, h := range part {
		var err error
		if body, err = c.appendRecord(body, h); err != nil {
			return err
		}
		files[i] = h.File
	}
	m, err := c.ask("set all of", "", body, files)
	m.close()
	if !last && errors.Is(err, syscall.EAGAIN) {
		return nil
	}
	if !last && err == nil {
		return fmt.Errorf("%w: done too early", errProtocol)
	}
	return err
}

// appendRecord appends expiry and name.
func (c *Client) appendRecord(b []byte, h Held) ([]byte, error) {
	if h.ID == "" {
		return nil, errors.New("the name is empty")
	}
	expiry := h.Expiry
	if expiry.IsZero() {
		expiry = Never(c.never.Add(1))
	}
	return appendID(expiry.AppendPacked(b), h.ID)
}

// request is an exchange of one question and one answer.
func (c *Client) request(ctx context.Context, op, id string, body []byte, files []*os.File) (message, error) {
	var m message
	err := c.exchange(ctx, func() (err error) {
		m, err = c.ask(op, id, body, files)
		return err
	})
	return m, wrap(op, id, err)
}

// ask sends one message and receives the answer. An answer that begins with an
// errno is an [*Error].
func (c *Client) ask(op, id string, body []byte, files []*os.File) (message, error) {
	if err := send(c.conn, body, files); err != nil {
		return message{}, err
	}
	m, err := receive(c.conn)
	if err != nil {
		return message{}, err
	}
	if len(m.body) == 0 {
		m.close()
		return message{}, fmt.Errorf("%w: it is empty", errProtocol)
	}
	if e := m.body[0]; e != 0 {
		m.close()
		return message{}, &Error{op, id, syscall.Errno(e)}
	}
	return m, nil
}

// exchange runs talk with the connection to itself, and ends it when ctx ends.
// Half an exchange cannot be taken up again: the connection is closed then.
func (c *Client) exchange(ctx context.Context, talk func() error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	stop := context.AfterFunc(ctx, func() { c.conn.Close() })
	err := talk()
	if !stop() && err != nil {
		return context.Cause(ctx)
	}
	var refused *Error
	if err != nil && !errors.As(err, &refused) {
		c.conn.Close()
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) {
		return fmt.Errorf("it closed the connection, which it does to those whom its rules do not allow: %w", err)
	}
	return err
}

// wrap says what was tried, unless the error does already.
func wrap(op, id string, err error) error {
	var refused *Error
	if err == nil || errors.As(err, &refused) {
		return err
	}
	return fmt.Errorf("%s: %w", describe(op, id), err)
}
