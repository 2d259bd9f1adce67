// Package examples holds no code: it is a directory of service definitions to
// learn from, and a test that compiles them as a user would. README.md lists
// them.
package examples
