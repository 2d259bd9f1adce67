// Package journal is the memory of a live directory: a file to which a record is
// appended for everything that was wanted, begun, done, failed or observed.
//
// # The file
//
// The first line names the format and says where a fold can begin. Each further line is
// one [Record]:
//
//	17 9a3f01c2 {"at":...,"kind":"up","data":{"slot":3,...}}
//
// a sequence number, the CRC-32 of everything else on the line, and JSON. The
// kinds of [Event] are a closed set. Sequence numbers are consecutive; they go on
// across a compaction, which replaces the file by one that begins with a
// [Snapshot], keeps the last records after it for people, and ends with a second
// snapshot, of now: a fold begins there.
//
// # Reading and writing
//
// [Read] needs no lock: a line is either whole or, as the last one, torn, and a
// torn tail counts as not written. Anything else that is wrong is [ErrCorrupt]. [Load]
// reads only what a fold needs.
// [Fold] makes the [State] of a list of records; it is a pure function, and an
// event that contradicts what is known (an unknown slot) changes nothing.
//
// One process at a time, the holder of the live directory's lock, writes, through
// [OpenWriter]. Its space is reserved ahead where the file system can do that. An
// append that fails leaves the file as it was; nobody may make a stop depend on
// one.
//
// Nothing is synced: the file lives on a tmpfs, whose content survives the death
// of every process but not that of the machine, and the epoch tells a new boot.
package journal
