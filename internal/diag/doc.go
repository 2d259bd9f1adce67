// Package diag holds what the tools say about mistakes in a source tree.
//
// A mistake is a value, a [Diagnostic], not an error string: it has a severity,
// a stable [Code], a [Position], one sentence, and, where it helps, the line it
// is about, a hint, and other places that belong to it. Readers and checkers
// collect them in a [List] and go on, so that one run reports everything; the
// list is sorted just before it is shown. How a diagnostic looks on a terminal
// is decided where text is written, not here.
package diag
