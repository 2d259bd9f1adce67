// Benchengine measures the state engine on a real s6, as a user meets it.
//
//	benchengine [-part updown|reading|many] [-services N] [-runs N] STRATA
//
// It compiles a generated source with STRATA, the multi-call binary, initialises a
// live directory under a private s6-svscan in a temporary directory, and measures
// each part against a floor that is measured in the same run, alternately.
//
// updown brings a bundle of all services up and down again, with rc-ctl. The
// floor is a bare loop over the same services of the same tree: it sends the
// control bytes to all longruns at once and starts the programs of all oneshots
// itself, knows no dependencies, writes nothing down, and waits for all, with the
// code that the engine waits with.
//
// reading runs rc-ctl list, and rc-ctl start where everything is up, for a system of N
// services that are up, many the same for one of ten times as many. The floor is a
// process that reads the status files of the same service directories, one after the
// other, by their paths. All are timed as whole processes, from their start to their
// end.
//
// Three quarters of the services are longruns, a shell that sleeps in a read, half
// of which say that they are ready; one quarter are oneshots, which run true both
// ways. Each needs three others.
//
// Benchengine prints medians and ratios beside the limits that the project has set itself.
// A machine that does something else meanwhile spoils the ratio: the best of
// several runs counts.
package main
