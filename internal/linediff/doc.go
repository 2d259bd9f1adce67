// Package linediff compares two texts line by line and shows the difference as
// diff -u does.
//
// The comparison is Myers' ("An O(ND) difference algorithm and its variations",
// 1986): a shortest list of lines to remove and to add. It is bounded: texts that
// have too little in common are shown as one removed and the other added.
package linediff
