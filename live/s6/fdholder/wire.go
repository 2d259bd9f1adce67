package fdholder

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

const (
	headerSize = 6        // u32 length of the body, u16 number of descriptors
	maxFDs     = 253      // descriptors in one message
	maxBody    = 16 << 20 // far above what a daemon with all its names sends
)

// errProtocol is wrapped by errors about answers that make no sense.
var errProtocol = errors.New("unexpected answer")

// message is one message in either direction. Received files belong to whoever
// takes them out.
type message struct {
	body  []byte
	files []*os.File
}

// close closes the files of a message that nobody wants.
func (m message) close() {
	for _, f := range m.files {
		f.Close()
	}
}

// send writes one message. The descriptors travel with its first byte.
func send(conn *net.UnixConn, body []byte, files []*os.File) error {
	if len(files) > maxFDs || len(body) > maxBody {
		return fmt.Errorf("message with %d bytes and %d descriptors is too large", len(body), len(files))
	}
	packet := make([]byte, 0, headerSize+len(body))
	packet = binary.BigEndian.AppendUint32(packet, uint32(len(body)))
	packet = binary.BigEndian.AppendUint16(packet, uint16(len(files)))
	packet = append(packet, body...)

	n := 0
	err := withFDs(files, make([]int, 0, len(files)), func(fds []int) (err error) {
		var oob []byte
		if len(fds) > 0 {
			oob = unix.UnixRights(fds...)
		}
		n, _, err = conn.WriteMsgUnix(packet, oob, nil)
		return err
	})
	if err == nil && n < len(packet) {
		_, err = conn.Write(packet[n:])
	}
	return err
}

// withFDs calls use with the descriptors of the files, which stay open meanwhile.
func withFDs(files []*os.File, fds []int, use func([]int) error) error {
	if len(files) == 0 {
		return use(fds)
	}
	rc, err := files[0].SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	err = rc.Control(func(fd uintptr) {
		inner = withFDs(files[1:], append(fds, int(fd)), use)
	})
	return errors.Join(err, inner)
}

// receive reads one message.
func receive(conn *net.UnixConn) (message, error) {
	var m message
	var header [headerSize]byte
	oob := make([]byte, unix.CmsgSpace(maxFDs*4))
	for n := 0; n < headerSize; {
		k, oobn, flags, _, err := conn.ReadMsgUnix(header[n:], oob)
		files, parseErr := parseRights(oob[:oobn])
		m.files = append(m.files, files...)
		switch {
		case err != nil:
		case parseErr != nil:
			err = parseErr
		case flags&unix.MSG_CTRUNC != 0:
			err = fmt.Errorf("%w: descriptors were lost", errProtocol)
		case k == 0:
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			m.close()
			return message{}, err
		}
		n += k
	}
	size, nfds, err := parseHeader(header)
	if err == nil && nfds != len(m.files) {
		err = fmt.Errorf("%w: %d descriptors instead of %d", errProtocol, len(m.files), nfds)
	}
	if err == nil {
		m.body = make([]byte, size)
		_, err = io.ReadFull(conn, m.body)
	}
	if err != nil {
		m.close()
		return message{}, err
	}
	return m, nil
}

// parseHeader reads the lengths that begin a message.
func parseHeader(h [headerSize]byte) (size, nfds int, err error) {
	n := binary.BigEndian.Uint32(h[:])
	nfds = int(binary.BigEndian.Uint16(h[4:]))
	if n > maxBody || nfds > maxFDs {
		return 0, 0, fmt.Errorf("%w: %d bytes and %d descriptors", errProtocol, n, nfds)
	}
	return int(n), nfds, nil
}

// parseRights takes the descriptors out of control messages.
func parseRights(oob []byte) ([]*os.File, error) {
	if len(oob) == 0 {
		return nil, nil
	}
	cmsgs, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errProtocol, err)
	}
	var files []*os.File
	for i := range cmsgs {
		fds, err := unix.ParseUnixRights(&cmsgs[i])
		if err != nil {
			continue // credentials or the like
		}
		for _, fd := range fds {
			files = append(files, os.NewFile(uintptr(fd), "fd-holder"))
		}
	}
	return files, nil
}
