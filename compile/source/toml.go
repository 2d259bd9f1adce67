package source

// tomlFile is the name of the TOML file of a definition that is a directory.
const tomlFile = "service.toml"

// readTOML reads a definition in TOML from the file name below at. It returns
// false if not even its kind is known.
func (w *worker) readTOML(at int, name, path string) bool { return false }
