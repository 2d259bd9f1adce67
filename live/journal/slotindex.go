package journal

// slotIndex finds the place of a slot. Slots are given in ascending order, so that
// mostly a list is enough and not much longer than what is in it.
type slotIndex struct {
	list []int32 // the place of each low slot, and 1; 0 is none
	more map[Slot]int32
}

// makeSlotIndex makes an index for about n slots, of which most are below next.
func makeSlotIndex(n int, next Slot) slotIndex {
	const spare = 1000
	return slotIndex{list: make([]int32, min(uint64(next), uint64(4*n+spare)))}
}

// add gives a slot a place, unless it has one.
func (x *slotIndex) add(slot Slot, place int) bool {
	if _, ok := x.find(slot); ok {
		return false
	}
	if uint64(slot) < uint64(len(x.list)) {
		x.list[slot] = int32(place) + 1
		return true
	}
	if x.more == nil {
		x.more = make(map[Slot]int32)
	}
	x.more[slot] = int32(place)
	return true
}

func (x *slotIndex) find(slot Slot) (place int32, ok bool) {
	if uint64(slot) < uint64(len(x.list)) {
		place = x.list[slot] - 1
		return place, place >= 0
	}
	place, ok = x.more[slot]
	return place, ok
}
