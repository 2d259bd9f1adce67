// Benchupdate measures updates.
//
//	benchupdate [-part plan|apply] [-runs N] STRATA
//
// plan measures how long it takes to open two databases of 10,000, 20,000 and
// 40,000 services and to plan the update from one to the other, with all services
// up: if nothing differs, with small files and with large ones; if one service has
// another program; and if all have. The parts of that are printed: the old one is
// opened as a copy in a live directory is, the new one as a file from outside, which
// is read and checked whole, and so takes longer if it is larger.
//
// apply measures the command itself, on a real s6-svscan, with 2,500, 5,000 and 10,000
// services up, all but one of them oneshots, the last number with large files too: an
// update to the database that there is already, and one that changes the program of
// the one longrun. Beside the time stands how long s6 takes to stop and start that
// service, and the limit is on the rest.
//
// Benchupdate prints the best of all runs, beside the limits that the project has
// set itself. A machine that does something else meanwhile spoils them all the same.
package main
