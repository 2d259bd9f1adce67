// Package rescue stops everything in a live directory whose database or journal
// cannot be used, or that is of another release: by the file stop-order, which is
// kept for that.
//
// A [Session] is opened where the ordinary way, package [strata/live/change/tree],
// has failed with an error that [Helps] accepts. It holds the lock and puts together
// what can be known:
//
//   - What there is, its dependencies and the down programs of oneshots are in the
//     stop order. If that is damaged too, all longruns that have a supervisor are
//     stopped, in no order.
//   - Which longruns run, s6 and the kernel know.
//   - Which oneshots are up is in the journal, and if that cannot be read, as of the
//     last command, in the summary. What is in neither may be up, so that its down
//     program is run: down programs have to bear that.
//
// Then the engine stops everything, with its rules of timeouts and limits. Only
// that what cannot be stopped holds nothing up: what it needs is stopped all the
// same, after it has failed. Down programs are run by the oneshot runner if it
// answers and can read the database, else by this process, with the runner's
// environment.
package rescue
