// Package fake is a supervisor for tests of the engine: it runs nothing, does
// what a script says, and remembers what it was asked for.
//
// Delays are those of package time. In a bubble of testing/synctest they cost
// nothing and their order is exact.
package fake
