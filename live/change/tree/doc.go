// Package tree does what the engine of package change says to a real supervision
// tree: longruns through s6, oneshots through the runner, pipes in the fd-holder.
//
// A [Supervisor] belongs to one live directory. It brings the internal services,
// runner and holder, up when they are first needed, and down when nothing is up
// any more. A [Session] is what a command does: it holds the lock, knows what is
// up, and runs a request.
package tree
