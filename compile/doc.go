// Package compile turns service definitions into the content of a database.
//
// Package source reads definitions whose names are only names. Compile gives
// the names their meaning: which definition overrides which, what a bundle
// stands for, who feeds whom through a pipeline, what needs what; it checks that
// all of it can be satisfied and computes the levels in which services can be
// brought up in parallel. Its result is a [db.Model], which package db writes.
//
// [Compile] is a function of values; [Run] reads the sources first. Both report
// every mistake they find in one list of diagnostics; there is a model only if
// the list holds no error.
//
// The rules are those of s6-rc-compile (s6-rc 0.7), whose sources compile
// unchanged, with what TOML definitions add: soft dependencies, provided names,
// loggers, manual services and layered sources.
package compile
