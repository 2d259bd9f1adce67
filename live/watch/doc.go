// Package watch waits for what happens in a live directory, without polling.
//
// A [Feed] tells that something may have happened: the directory's event directory
// says that the journal has grown, and the event directories of longruns what their
// supervisors see. What it was stands in the journal and in the status files, which
// are written first; so whoever opens the feed, reads, and reads again whenever the
// feed tells, misses nothing.
//
// [Wait] waits until services are up or down. [Follow] hands out everything that
// happens.
package watch
