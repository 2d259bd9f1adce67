// Package applier applies a patch inside the supervision tree, and looks on.
//
// An update must not depend on who asked for it: the terminal may be lost, and the
// service that it was asked through may be one of those that the patch restarts. So a
// command only writes down what is to be done ([update.Begin], [update.Ask]) and has
// the applier started ([Start]), an internal service of the live directory; [Main] is
// its program. It goes on where the one before was killed, once by itself; what then
// is not done waits until somebody asks again. [Attend] tells what happens, by the
// journal, and may come and go.
package applier
