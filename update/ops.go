package update

// Op is an operation of a patch.
type Op string

// The operations.
const (
	OpStop   Op = "stop"
	OpSpare  Op = "spare"
	OpMake   Op = "make"
	OpPipe   Op = "pipe"
	OpRename Op = "rename"
	OpDefine Op = "define"
	OpSwitch Op = "switch"
	OpUnpipe Op = "unpipe"
	OpRemove Op = "remove"
	OpStart  Op = "start"
	OpReload Op = "reload"
)

// OpRule says what an operation means.
type OpRule struct {
	Phase Phase
	// Before must hold when it is done, After holds then; both do not change if it
	// is done twice.
	Before, After string
	// Inverse is the operation that takes it back, in a patch from new to old;
	// empty if there is nothing to take back.
	Inverse Op
	// Text is what it does.
	Text string
}

// Ops is the closed list of operations.
var Ops = map[Op]OpRule{
	OpStop: {
		StopPhase, "everything that needs the service is down", "the service is down", OpStart,
		"bring an old service down",
	},
	OpSpare: {
		StopPhase, "the service is essential, or such a service needs it", "as before", "",
		"an old service that s6-rc's rules list for a stop and that is not stopped; if nothing becomes of it, it ends with the switch",
	},
	OpMake: {
		SwitchPhase, "the name is free, or about to be", "the service has a slot, a directory and, if it is a longrun, a supervisor; it is down", OpRemove,
		"make what a new service runs in",
	},
	OpPipe: {
		SwitchPhase, "the consumer has a slot", "the holder has a pipe for it", OpUnpipe,
		"make the pipe into a consumer that had none",
	},
	OpRename: {
		SwitchPhase, "the service has a slot", "its links have the new name, its process and supervisor are the same", OpRename,
		"switch the links of a service to its new name",
	},
	OpDefine: {
		SwitchPhase, "the service has a slot", "its definition link leads to the new definition, its process is the same", OpDefine,
		"switch a service's definition, which counts from its next start",
	},
	OpSwitch: {
		SwitchPhase, "all that is new has been made", "the live directory follows the new database", OpSwitch,
		"switch to the new database: before this the old one counts, after it the new one",
	},
	OpUnpipe: {
		SwitchPhase, "nothing feeds the consumer", "the holder has no pipe for it", OpPipe,
		"drop a pipe that nobody uses any more",
	},
	OpRemove: {
		SwitchPhase, "the service is down, or spared", "it has no supervisor, no directory and no name", OpMake,
		"remove what an old service ran in",
	},
	OpStart: {
		StartPhase, "everything that the service needs is up", "the service is up", OpStop,
		"bring a new service up",
	},
	OpReload: {
		StartPhase, "the service is up", "it was told to reload", OpReload,
		"tell a service to read its configuration again",
	},
}
