// Package db is the compiled database: one file that is written once and never
// changed, and holds all that init, engine and updater need.
//
// # Writing
//
// The compiler hands a [Model] to [Write], which makes a bbolt file with a
// fixed page size, bucket after bucket and all keys in order, so that the same
// model gives the same bytes on any host, and puts a trailer behind it. The root buckets:
//
//	meta      "header": format, counts, content digest, checksums of the sections
//	graph     number of the section -> flat arrays: names, types, flags,
//	          timeouts, graphs with their transposes, levels, bundles,
//	          digests of the definitions
//	services  number of the service -> its record
//	notes     "b" or "s" and number -> description and provenance
//	blobs     SHA-256 -> a file's content, each distinct one once
//
// Numbers in keys are big-endian, so that they sort; numbers in values are
// little-endian or varints. Strings are bytes, not text: a name need not be UTF-8.
//
// # Digests
//
// Three digests, all SHA-256. The file digest covers every byte of the file; it
// stands at its end. The content digest ([DB.Content]) covers what the services
// are, without descriptions, provenance and the tool's version: two databases with
// the same content need no update. The definition digest ([DB.Definition]) covers
// what one service is made of, without its place among the others.
//
// # Reading
//
// [Open] is for a file from anywhere: it checks the whole file. [Copy] takes such
// a file into a live directory, and [OpenLive] opens the copy in microseconds: the
// flat arrays are used where they lie in the mapped file. What a record, a note or
// a blob says is checked when it is read.
//
// A file may hold anything. Wherever it was cut, whatever byte was changed, and
// even if somebody computed the digests anew around made-up content, the result is
// [ErrCorrupt] and never a panic, a signal or a wrong answer. For that reason
// bbolt's pages are read by this package itself, with each offset checked: bbolt
// trusts its pages, recurses for ever on a loop of them, reads behind its map, and
// takes a lock that a reader of a file that never changes does not need.
//
// The layout of pages is that of a little-endian machine, which all machines with
// an s6 worth naming are.
package db
