// Package execline splits a command line as execline's own lexer does.
//
// The up, down and reload files of an s6-rc source directory are execline
// command lines, not shell scripts: s6-rc splits them into words once, when it
// compiles, and what it stores is an argument vector. [Parse] gives exactly this
// vector, the oddities included; the behaviour is that of execline's el_parse.
//
// Words are separated by blanks. Double quotes keep blanks, and within them a
// backslash begins an escape (\n, \t, \0x41, \65, \0101). A { and a } that stand
// alone as words open and close a block. A vector has no nesting, so a word of a
// block is stored with one leading space for each level it lies deep, and the end
// of a block is a word of spaces only, one less than the words of the block have.
package execline
