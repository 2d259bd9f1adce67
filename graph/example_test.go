package graph_test

import (
	"errors"
	"fmt"
	"os"

	"strata/graph"
)

func Example() {
	names := []string{"dbus", "display", "mounts", "network", "sshd"}
	g, err := graph.New(len(names), []graph.Edge{
		{From: 0, To: 2}, // dbus needs mounts
		{From: 1, To: 0}, // display needs dbus
		{From: 3, To: 2}, // network needs mounts
		{From: 4, To: 3}, // sshd needs network
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	levels, err := g.Levels()
	if err != nil {
		fmt.Println(err)
		return
	}
	for k := range levels.Count() {
		fmt.Print(k, ":")
		for _, id := range levels.At(k) {
			fmt.Print(" ", names[id])
		}
		fmt.Println()
	}
	// Output:
	// 0: mounts
	// 1: dbus network
	// 2: display sshd
}

// For 1->2, 3->4, where 2 needs 1 and 4 needs 3, the levels are {1 3} and {2 4}:
// each can run in parallel.
func ExampleGraph_Levels() {
	g, _ := graph.New(5, []graph.Edge{{From: 2, To: 1}, {From: 4, To: 3}, {From: 1, To: 0}, {From: 3, To: 0}})
	levels, _ := g.Levels()
	fmt.Println(levels.At(1), levels.At(2), levels.Of(4))
	// Output: [1 3] [2 4] 2
}

func ExampleCycleError() {
	g, _ := graph.New(4, []graph.Edge{{From: 0, To: 1}, {From: 1, To: 2}, {From: 2, To: 0}, {From: 2, To: 1}})
	_, err := g.Levels()
	fmt.Println(err)
	if cycle, ok := errors.AsType[*graph.CycleError](err); ok {
		for _, e := range cycle.Edges() {
			fmt.Println(e.From, "needs", e.To)
		}
	}
	// Output:
	// cannot order the graph: dependency cycle 1 -> 2 -> 1
	// 1 needs 2
	// 2 needs 1
}

func ExampleGraph_Dependents() {
	g, _ := graph.New(5, []graph.Edge{{From: 1, To: 0}, {From: 2, To: 1}, {From: 4, To: 3}})
	fmt.Println(g.Dependents([]graph.ID{0}).IDs())
	// Output: [0 1 2]
}

// Why must 3 stop when 0 does? Because 3 needs 1, which needs 0.
func ExampleGraph_DependentPaths() {
	g, _ := graph.New(4, []graph.Edge{{From: 1, To: 0}, {From: 2, To: 1}, {From: 3, To: 2}, {From: 3, To: 1}})
	because := g.DependentPaths([]graph.ID{0})
	fmt.Println(because.To(3))
	// Output: [0 1 3]
}

func ExampleGraph_WriteDOT() {
	names := []string{"network", "sshd"}
	g, _ := graph.New(2, []graph.Edge{{From: 1, To: 0}})
	if err := g.WriteDOT(os.Stdout, func(id graph.ID) string { return names[id] }); err != nil {
		fmt.Println(err)
	}
	// Output:
	// digraph {
	// 	"network";
	// 	"sshd";
	// 	"sshd" -> "network";
	// }
}
