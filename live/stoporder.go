package live

import (
	"cmp"
	"slices"

	"strata/compile/db"
	"strata/live/servicedir"
)

// oneshot fills in what a oneshot's stop takes.
func (s *StopService) oneshot(v View, id db.ServiceID) error {
	svc, err := v.DB.Service(id)
	if err != nil {
		return err
	}
	def := v.Definition(id)
	argv, file := servicedir.Command(svc, servicedir.Down)
	if file {
		argv = []string{"./" + argv[0]}
	}
	s.Def, s.Down = &def, argv
	return nil
}

// sortStops puts higher levels first.
func sortStops(list []StopService) {
	slices.SortStableFunc(list, func(a, b StopService) int { return cmp.Compare(b.Level, a.Level) })
}
