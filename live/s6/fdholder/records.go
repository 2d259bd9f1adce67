package fdholder

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"

	"strata/live/s6"
)

// maxID is the longest name of a descriptor, in bytes.
const maxID = 255

// stampSize is the length of an expiry on the wire.
const stampSize = 12

// Never gives an expiry that does not come. The daemon wants expiries to differ, so
// different numbers give different ones.
func Never(n uint64) s6.Stamp {
	return s6.RawStamp(1<<62+1<<61+n/1e9, uint32(n%1e9))
}

// IsNever reports whether an expiry lies beyond all time.
func IsNever(expiry s6.Stamp) bool { return expiry.Compare(Never(0)) >= 0 }

// appendID appends a name as it travels: its length, its bytes, a null.
func appendID(b []byte, id string) ([]byte, error) {
	if len(id) > maxID || strings.IndexByte(id, 0) >= 0 {
		return nil, fmt.Errorf("name %.40q is longer than %d bytes or contains a null", id, maxID)
	}
	b = append(b, byte(len(id)))
	b = append(b, id...)
	return append(b, 0), nil
}

// parseList reads the names in the answer to a list request, after its first
// byte: a count, then that many names, each ended by a null.
func parseList(b []byte) ([]string, error) {
	if len(b) < 4 {
		return nil, fmt.Errorf("%w: list of %d bytes", errProtocol, len(b))
	}
	n := binary.BigEndian.Uint32(b)
	b = b[4:]
	if uint64(n) > uint64(len(b)) {
		return nil, fmt.Errorf("%w: list of %d names in %d bytes", errProtocol, n, len(b))
	}
	ids := make([]string, 0, n)
	for range n {
		id, rest, ok := bytes.Cut(b, []byte{0})
		if !ok || len(id) > maxID {
			return nil, fmt.Errorf("%w: list ends within a name", errProtocol)
		}
		ids = append(ids, string(id))
		b = rest
	}
	if len(b) > 0 {
		return nil, fmt.Errorf("%w: %d bytes after the list", errProtocol, len(b))
	}
	return ids, nil
}

// record is the description of one descriptor in a dump.
type record struct {
	id     string
	expiry s6.Stamp
}

// parseRecords reads the n records of one message of a dump.
func parseRecords(b []byte, n int) ([]record, error) {
	records := make([]record, 0, min(n, maxFDs))
	for range n {
		if len(b) < stampSize+2 {
			return nil, fmt.Errorf("%w: dump ends within a record", errProtocol)
		}
		size := int(b[stampSize])
		end := stampSize + 1 + size
		if len(b) <= end || b[end] != 0 || bytes.IndexByte(b[stampSize+1:end], 0) >= 0 {
			return nil, fmt.Errorf("%w: bad name in dump", errProtocol)
		}
		records = append(records, record{
			id:     string(b[stampSize+1 : end]),
			expiry: s6.UnpackStamp([stampSize]byte(b)),
		})
		b = b[end+1:]
	}
	if len(b) > 0 {
		return nil, fmt.Errorf("%w: %d bytes after the dump", errProtocol, len(b))
	}
	return records, nil
}
