package update

import (
	"errors"
	"fmt"

	"strata/compile/db"
	"strata/update/generation"
)

// PatchFormat is the version of a patch's JSON.
const PatchFormat = "strata-patch/1"

// ErrPatch says that something is not a patch that this release reads.
var ErrPatch = errors.New("not a valid patch")

// Patch is what takes a live directory from one database to another. It is plain
// data.
type Patch struct {
	Format  string   `json:"format"`
	Policy  Policy   `json:"policy"`
	Old     Version  `json:"old"`
	New     Version  `json:"new"`
	Live    LiveID   `json:"live"`
	Before  Before   `json:"before"`
	Actions []Action `json:"actions"`
	After   After    `json:"after"`
	Counts  Counts   `json:"counts"`
	// Store is what becomes of the installed databases, nil for nothing.
	Store *generation.Move `json:"store,omitempty"`
	// S6RC is what s6-rc-update would list, under the policy Identity only.
	S6RC *Lists `json:"s6_rc,omitempty"`
	// Warnings are for people.
	Warnings []string `json:"warnings,omitempty"`
}

// LiveID names the state that a patch was planned for.
type LiveID struct {
	Path string `json:"path"`
	// Fingerprint covers the database's content, the epoch, and which services are
	// up and wanted.
	Fingerprint db.Digest `json:"fingerprint"`
}

// Before is what the patch was planned for: the services of the old database that
// are up, among them oneshots of which nobody knows. It is what taking the patch
// back leads to.
type Before struct {
	Up []string `json:"up"`
}

// After is what holds when the patch has been applied.
type After struct {
	Up []string `json:"up"`
	// Wanted are services that count as asked for afterwards, besides those that go
	// on and were.
	Wanted []string `json:"wanted,omitempty"`
}

// Lists are the services that s6-rc-update would hand to s6-rc, in its order:
// those to stop by their old names, those to start by their new ones. What depends
// on them, and what they depend on, is not listed.
type Lists struct {
	Stop  []string `json:"stop"`
	Start []string `json:"start"`
}

// Counts sum a patch up.
type Counts struct {
	// Restart are services that are stopped and started again, Stop and Start
	// those that are only the one.
	Restart int `json:"restart"`
	Stop    int `json:"stop"`
	Start   int `json:"start"`
	Reload  int `json:"reload"`
	// Redefine are definitions that are switched; Stale of them are those of
	// processes that go on with the older one.
	Redefine int `json:"redefine"`
	Stale    int `json:"stale"`
	Add      int `json:"add"`
	Remove   int `json:"remove"`
	Rename   int `json:"rename"`
	// Untouched are the services of the new database that no action names.
	Untouched int `json:"untouched"`
}

// Phase is one of the three parts of a patch, in this order.
type Phase string

// The phases.
const (
	StopPhase   Phase = "stop"
	SwitchPhase Phase = "switch"
	StartPhase  Phase = "start"
)

// Action is one step.
type Action struct {
	Seq   int   `json:"seq"`
	Phase Phase `json:"phase"`
	Op    Op    `json:"op"`
	// Service is the old name; in the start phase, and for what is new, the new
	// one. It is empty for what concerns no single service.
	Service string `json:"service,omitempty"`
	// NewNames is what an old service is called afterwards.
	NewNames []string `json:"new_names,omitempty"`
	// Class is that of the service's own change; a service that moves for another's
	// sake has the class graph.
	Class Class `json:"class"`
	// Stale says that the process goes on with an older definition.
	Stale bool `json:"stale,omitempty"`
	// Forced says that an operator had stopped the service that is started.
	Forced bool `json:"forced,omitempty"`
	// Because leads from a change to this action.
	Because []Cause `json:"because,omitempty"`
}

// Reason is what a [Cause] says.
type Reason string

// The reasons.
const (
	ReasonChanged  Reason = "changed"  // a field of Service differs
	ReasonAdded    Reason = "added"    // Service is new
	ReasonRemoved  Reason = "removed"  // Service is gone
	ReasonRetyped  Reason = "retyped"  // Service is of another type
	ReasonUnfolded Reason = "unfolded" // the name of Service is a bundle's now
	ReasonRenamed  Reason = "renamed"  // Service has another name
	ReasonOrdered  Reason = "ordered"  // the conversion file or an option orders a restart
	ReasonDown     Reason = "down"     // Service was not up
	ReasonFailed   Reason = "failed"   // Service should have been up and was not
	ReasonNeeds    Reason = "needs"    // Service needs what the cause before is about
	ReasonGained   Reason = "gained"   // Service has gained the edge in Field
	ReasonProvided Reason = "provided" // the name Service has another provider
	ReasonThrough  Reason = "through"  // Links links of a long chain are left out here
	ReasonDatabase Reason = "database" // the databases differ
	// ReasonTakenBack: an action on Service is taken back; why that was done follows.
	ReasonTakenBack Reason = "taken-back"
)

// Cause is one link of a chain.
type Cause struct {
	What    Reason `json:"what"`
	Service string `json:"service,omitempty"`
	Field   string `json:"field,omitempty"`
	From    string `json:"from,omitempty"`
	To      string `json:"to,omitempty"`
	// At is the place in the sources: in the new ones, or in the old ones for what is
	// there no more. OldAt is that in the old ones for what stands in both.
	At    string `json:"at,omitempty"`
	OldAt string `json:"old_at,omitempty"`
	Links int    `json:"links,omitempty"`
}

// Empty reports whether there is nothing to do.
func (p *Patch) Empty() bool { return len(p.Actions) == 0 }

// Names returns the services of all actions with this operation, in their order.
func (p *Patch) Names(op Op) []string {
	var out []string
	for _, a := range p.Actions {
		if a.Op == op {
			out = append(out, a.Service)
		}
	}
	return out
}

// ParsePatch reads a patch from JSON and checks that it is one. The error wraps
// [ErrPatch].
func ParsePatch(text []byte) (*Patch, error) {
	p := new(Patch)
	if err := p.UnmarshalJSON(text); err != nil { // json.Unmarshal would go over it twice
		return nil, fmt.Errorf("cannot read patch: %w: %w", ErrPatch, err)
	}
	if p.Format != PatchFormat {
		return nil, fmt.Errorf("cannot read patch: %w: its format is %q, this release reads %q", ErrPatch, p.Format, PatchFormat)
	}
	phase := 0
	for i, a := range p.Actions {
		rule, known := Ops[a.Op]
		switch {
		case !known:
			return nil, fmt.Errorf("cannot read patch: %w: action %d has the unknown operation %q", ErrPatch, i+1, a.Op)
		case a.Seq != i+1:
			return nil, fmt.Errorf("cannot read patch: %w: action %d has the number %d", ErrPatch, i+1, a.Seq)
		case rule.Phase != a.Phase:
			return nil, fmt.Errorf("cannot read patch: %w: action %d, %s, stands in the phase %q", ErrPatch, i+1, a.Op, a.Phase)
		case phaseOrder[a.Phase] < phase:
			return nil, fmt.Errorf("cannot read patch: %w: action %d comes too late", ErrPatch, i+1)
		}
		phase = phaseOrder[a.Phase]
	}
	return p, nil
}

var phaseOrder = map[Phase]int{StopPhase: 0, SwitchPhase: 1, StartPhase: 2}
