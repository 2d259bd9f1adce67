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
// terminal. In the log a line before and one after say whose output stands between
// them, unless several programs run at once; the log is not read by the runner, so
// what a program leaves behind can write to it as long as the tree lives. When its
// limit is over, it is killed or the runner ends, its group gets SIGTERM and
// SIGCONT, and SIGKILL after [Config].Grace or as soon as its leader has ended. What
// leaves the group is not followed.
//
// # The protocol
//
// The socket, s in the runner's service directory, takes root and the user that
// the runner runs as; others are told so and dropped. A message is a length (4
// bytes, most significant first, at most [MaxMessage]) and that many bytes of JSON.
// The server begins with [Hello]; then the client sends a [Request] and gets a
// [Reply], one after the other, as often as it likes; run gets two of them, one
// when the program has been started and one with its result. Three descriptors may
// come with a run.
//
// The server says which versions of the protocol it speaks: its own and the one
// before, of which there is none yet. A client that knows several uses the last one
// that both know. Answers may have fields that the client does not know; requests
// may not.
//
// # Jobs
//
// A job has an id, chosen by the client. Its result is kept until it is forgotten,
// so that a client that died finds it again. Before a client notes that a job
// begins, it must know that the runner has no result of an earlier one with that
// id: prepare drops it, and refuses if that job still runs. Who knows that all
// results have been taken note of can clear them all, once for many jobs. Then it
// notes that the job begins, and runs it; and after the end it notes the result.
//
// A job also has a token. To ask again for the same id and token, because the
// connection was lost, never runs it again, but gives its result.
//
// # Renewal
//
// The process lives as long as the tree, the program may be replaced meanwhile. The
// hello says which file it runs; who finds that another one is installed asks it
// to renew itself: it executes that one in its own process, see [live.RunnerProgram].
// The pid stays, and so do s6-supervise, the programs that run as its children, the
// socket and the connections, with what clients wait for. What was in memory is
// handed over in a file that has a version of its own, [StateFormat]. The new
// program is first run as a child with the very state, to say whether it takes it;
// if not, or if it cannot be executed, the old one goes on and says why.
//
// What is on the board (see package board) is not handed over: it is read again.
//
// Nothing happens halfway while it is renewed, since all that the server does are
// short steps under one lock, which the renewal takes too. Clients that connect
// meanwhile wait in the backlog of the socket, signals that tell it to end until
// they are listened for again.
package runner
