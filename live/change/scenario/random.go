package scenario

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"strata/live/change"
)

// Random gives n services of all kinds that depend on each other at random, all of
// whose transitions have a [Limit]. The same seed gives the same ones.
func Random(seed uint64, n int) []Service {
	r := rand.New(rand.NewPCG(seed, uint64(n)))
	services := make([]Service, n)
	// The names do not tell the order.
	names := r.Perm(n)
	for i := range services {
		s := Service{
			Name: fmt.Sprintf("s%d", names[i]), Oneshot: r.IntN(2) == 0,
			Limited: map[change.Op]bool{change.Start: true, change.Stop: true},
		}
		for j := range i {
			other := services[j].Name
			switch r.IntN(4 + n) {
			case 0, 1, 2:
				s.Needs = append(s.Needs, other)
			case 3:
				s.After = append(s.After, other)
			case 4:
				s.Wants = append(s.Wants, other)
			}
		}
		services[i] = s
	}
	return services
}

// Names are the names of services, separated by blanks.
func Names(services []Service) string {
	names := make([]string, len(services))
	for i, s := range services {
		names[i] = s.Name
	}
	return strings.Join(names, " ")
}
