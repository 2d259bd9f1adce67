// Package graph holds dependency graphs on flat arrays.
//
// A vertex is a number, an [ID]; the names stand elsewhere. An edge points from a
// service to what it depends on, so that walking along the edges visits what must
// be up before, and walking against them what must be down before.
//
// A [Graph] is made once, by [New] from a list of edges or by [FromCSR] around
// two slices that a file already holds, and is never changed afterwards: any
// number of goroutines may use it. The layout is the "compressed sparse row": the
// dependencies of vertex v are adj[off[v]:off[v+1]], ascending. It costs eight
// allocations where a map of sets costs a hundred thousand, and is written to a
// file and read back as it is.
//
// What one asks a graph:
//
//   - [Graph.Levels] groups the vertices so that each group can be started in
//     parallel once the group before it is up. It fails on a cycle, with a
//     [CycleError] that names a shortest one.
//   - [Graph.Closure] and [Graph.Dependents] give all that a service needs, and
//     all that needs it, as a [Set].
//   - [Graph.Path] and [Graph.Paths] say why: by which chain of dependencies a
//     service is reached.
//   - [Graph.Gonum] shows the graph to the algorithms of
//     gonum.org/v1/gonum/graph.
//   - [Graph.WriteDOT] draws it.
//
// Nothing in this package recurses over the graph, except gonum's search for
// strongly connected parts, which runs on what is left of a graph that has a
// cycle. An ID that is no vertex of the graph is nowhere an error: it has no
// dependencies, no dependents, and is in no set.
package graph
