// Package change is the state engine: it brings services up and down, each after
// what it depends on, and leaves what failed and what depends on that behind.
//
// It has a pure part and one that acts.
//
// [Make] plans. From a request (these names, up or down), the graph, and what is
// up, it makes a [Plan]: one or two phases, each a list of steps that say which
// others they wait for. The rules are those of s6-rc:
//
//   - A start takes what the services need with it, and what they want; a stop
//     takes what needs them.
//   - A step waits for all it depends on, in the direction of the phase: also for
//     services that are already as they should be, if those wait for others.
//   - A hard dependency has to succeed, else its dependents are skipped. An order
//     (wants, after, before) has to have ended, however.
//   - An essential service that is up is not stopped, and neither is what it
//     needs, unless the request says so.
//
// [Run] does it. Each step is walked on its own as soon as what it waits for is
// done: there are no levels to fill. What is done to a service goes through a
// [Supervisor], which package [strata/live/change/tree] implements with s6 and
// the oneshot runner, and package [strata/live/change/fake] for tests. A service
// has a [State] at every moment, and only the moves of [State.After] exist.
//
// After a failed start of a longrun it is told to stop, so that nothing is left
// half up. The end of the context makes Run a lame duck, as SIGTERM does to
// s6-rc: nothing new begins, longruns are not waited for, oneshots that run are.
package change
