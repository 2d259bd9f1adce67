// Package benchtree runs a real s6-svscan for the project's benchmarks.
package benchtree
