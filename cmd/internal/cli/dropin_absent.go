package cli

// absentPrograms are the programs of s6-rc that have no counterpart under their
// own name, with what does their work here. Whoever has a link of such a name, or
// renames a script's calls one by one, is told so.
var absentPrograms = map[string]string{
	"s6-rc-bundle":          "define the bundle in a source, compile with rc-compile and switch with rc-update",
	"s6-rc-dryrun":          "nothing is needed in its place: rc-update -n and s6-rc -n print what they would do by themselves",
	"s6-rc-fdholder-filler": "nothing is needed in its place: rc-init, rc-ctl and rc-update fill the fd-holder by themselves",
	"s6-rc-format-upgrade":  "nothing is needed in its place: rc-update reads databases of the format before its own",
	"s6-rc-oneshot-run":     "nothing is needed in its place: rc-ctl start and rc-ctl stop run oneshots",
	"s6-rc-repo-init":       "name the stores as sources to rc-compile",
	"s6-rc-repo-list":       "keep a source directory for each set, and compile it with rc-compile",
	"s6-rc-repo-sync":       "compile the sources again with rc-compile",
	"s6-rc-set-change":      "change the contents of a bundle in a source, compile with rc-compile and switch with rc-update",
	"s6-rc-set-commit":      "compile the sources with rc-compile",
	"s6-rc-set-copy":        "copy the source directory",
	"s6-rc-set-delete":      "remove the source directory",
	"s6-rc-set-fix":         "nothing is needed in its place: rc-compile names every dependency that is not there",
	"s6-rc-set-install":     "switch the live directory to a database with rc-update",
	"s6-rc-set-new":         "make a source directory with a bundle of what is to be up",
	"s6-rc-set-status":      "ask the database with rc-db contents, or the live directory with rc-ctl list",
}

// s6rcAbsent is the answer of a program that is not provided.
func s6rcAbsent(name, instead string) error {
	return usagef("%s is not provided: %s", name, instead)
}
