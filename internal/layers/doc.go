// Package layers holds no code, only a test: which package of this module may
// import which.
//
// The four layers are graph, compile/db, live and update, each built on those
// before it. The compiler (compile and compile/source) stands beside live and
// update: what runs on a machine reads a compiled database and never a source.
// cmd is above all, and the packages of internal are below all.
package layers
