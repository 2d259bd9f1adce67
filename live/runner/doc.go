// Package runner runs the programs of oneshots: a small longrun inside the
// supervision tree, and its client.
//
// Programs that run here belong to the tree and not to whoever asks: they have the
// same environment, limits, umask and signals every time, and they outlive the one
// who asked. The runner takes no program from a client, only the digest of a
// database in the live directory, a service's name and a phase.
//
// # The process of a program
//
// It leads a session, and so a process group, of its own. Its directory is that of
// its definition. Its environment is that of s6-svscan, with /usr/lib/execline/bin
// at the end of PATH where that exists, and RC_NAME, the service's name. Its
// standard streams are those that the client sent, or /dev/null and twice the
// runner's standard error, which is the log of the tree; with tty it is that
// terminal. When its limit is over, it is killed or the runner ends, its group gets
// SIGTERM and SIGCONT, and SIGKILL after [Config].Grace or as soon as its leader has
// ended. What leaves the group is not followed.
//
// # The protocol
//
// The socket, s in the runner's service directory, takes root and the user that
// the runner runs as; others are told so and dropped. A message is a length (4
// bytes, most significant first, at most [MaxMessage]) and that many bytes of JSON.
// The server begins with [Hello]; then the client sends a [Request] and gets a
// [Reply], one after the other; run gets two of them, one when the program has been
// started and one with its result. Three descriptors may come with a run.
//
// A job has an id, chosen by the client. Its result is kept until it is forgotten,
// so that a client that died finds it again: prepare (drops an old result, refuses
// if that job still runs), then note that the job begins, then run; and after the
// end note the result, then forget.
package runner
