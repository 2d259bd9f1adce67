// Package servicedir renders a service into files: the service directory that
// s6-supervise runs a longrun in, or the definition of a oneshot.
//
// [Render] is a pure function of a service, its pipes and a style, and gives a
// [Tree]; [Write] puts a tree into a directory. A directory definition's files
// come out as they went in. What is generated is:
//
//   - run (and finish) of a longrun in a pipeline: a small script that takes the
//     ends of its pipes from the fd-holder and runs run.user (finish.user), which
//     is then the user's;
//   - the process set-up of a TOML definition (user, env, umask, workdir, limits,
//     run-before), as one /bin/sh script that ends in the argv, or in run.user if
//     the program is a script;
//   - the one-line run and finish of an argv.
//
// Generated scripts are for /bin/sh and use s6's own programs, so that no
// execline is needed. No digest covers their text.
package servicedir
