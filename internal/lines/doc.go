// Package lines is the programs of pipelines for tests that count what goes through
// them: producers of numbered lines, and consumers that a kill at whatever moment makes
// lose nothing, since the kernel moves what they pass on. A test's own binary plays
// them, if its TestMain calls [Main].
package lines
