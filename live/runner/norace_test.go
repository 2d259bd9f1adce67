//go:build !race

package runner

// raceEnabled says that the race detector takes memory of its own.
const raceEnabled = false
