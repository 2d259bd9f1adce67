package source

import (
	"iter"
	"maps"

	"strata/internal/diag"
)

// FieldPos holds the positions of a definition's fields by their names. In a
// directory definition the position is the file that holds the field. A nil
// FieldPos is empty.
type FieldPos map[string]diag.Position

// At returns the position of a field, and whether the field was given.
func (f FieldPos) At(field string) (diag.Position, bool) {
	p, ok := f[field]
	return p, ok
}

// Has reports whether the field was given.
func (f FieldPos) Has(field string) bool {
	_, ok := f[field]
	return ok
}

// All yields the fields and their positions, in no order.
func (f FieldPos) All() iter.Seq2[string, diag.Position] { return maps.All(f) }
