// Bench measures the compiler from outside, as a user meets it.
//
//	bench [-format toml|s6-rc|both] [-runs N] RC-COMPILE
//
// It makes trees of 1,000, 10,000 and 100,000 services, each with 3 dependencies
// and a quarter of them oneshots, runs RC-COMPILE on them, and prints the median
// wall time, the peak memory of the process, the size of the database, and the
// growth from one size to the next: 1.00 is linear. It measures and judges
// nothing.
package main
