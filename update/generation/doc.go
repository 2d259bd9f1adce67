// Package generation keeps installed databases: the generations of a machine.
//
// A store is a directory, usually /etc/strata/compiled:
//
//	DIGEST.db     a generation, named by the digest of its content
//	current       link to the one that counts, for the next boot too
//	generations   in which order they came, and when (see [History])
//	.lock         held by whoever changes the store
//	.current.new  link that is going to be current
//
// Nothing else in it is touched, and a store that somebody made by hand, with
// databases and a link, is as good as any.
//
// Which generation is N steps back and which ones may go is decided by functions of
// values, [History.Back] and [History.Surplus]. A [Move] is what an update does to a
// store, as data: it is part of the patch, so that whoever goes on with the patch, or
// takes it back, goes on with the store. [Move.Prepare] comes before anything else is
// changed and does all that may fail for want of space or permission; [Move.Do], after
// the switch of the live directory, is one rename.
package generation
