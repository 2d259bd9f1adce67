// Package ui writes everything the tools say.
//
// The rules: what a command was asked for goes to standard output, everything
// else to standard error; a message begins with the tool's name, has no capital
// and no full stop; text from a definition is escaped before it is printed, so
// that a name cannot draw on the terminal; colour is used on a terminal only,
// and not if NO_COLOR is set; JSON is one document with a version, in
// snake_case.
package ui
