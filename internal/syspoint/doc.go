// Package syspoint lets a test stop a program at any system call that changes
// something.
//
// Code that must survive a kill at any moment cannot forget to name a step to it: the
// kernel reports each system call of the program before it is made, with a seccomp
// filter, and the test says whether it is made, fails, or is the last thing that the
// program wanted to do ([Run]). A system call is a point unless it is known to change
// nothing, so that a new way of changing something is a point from its first day on.
// Between two points nothing changes: to be killed before the second one is to be
// killed after the first.
//
// The program is any command that the test could start itself. The test binary has to
// call [Main] if its first argument is [Command].
package syspoint
