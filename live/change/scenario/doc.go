// Package scenario has what the state engine has to stand as data: services, how
// their transitions go, what is asked for, and what has to come of it.
//
// The same [Scenario] is played in a [World] of a fake supervisor and of time that
// costs nothing ([NewFake], within testing/synctest), and in one of a real s6 (the
// tests of package [strata/live/change/tree]). [All] is the table of them. [Play]
// plays one and checks, besides what the scenario says itself, what always has to
// be true:
//
//   - No service begins to start before all it needs is up, nor to stop before all
//     that needs it is down, nor while one that it comes after is under way.
//   - Afterwards the journal and the supervisor say the same.
//   - Once nothing goes wrong any more the same command does the rest, and the one
//     after it finds nothing to do.
package scenario
