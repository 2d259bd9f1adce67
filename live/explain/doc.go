// Package explain says in words what a live directory's state and journal mean:
// where each service is and what it waits for, why it is there, how services depend
// on each other, and what each record of the journal tells.
//
// Everything here is a function of values. A [Scene] is made of the state that was
// read, the database's graphs and the time; [Scene.Status] and [Scene.Why] look at
// one service of it. [Teller] turns records into entries, [Tree] a graph into lines.
//
// What is shown is meant in two ways: the fields of [Status], [Link] and [Entry] for
// programs, and their texts for people.
package explain
