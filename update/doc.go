// Package update takes a running machine from one compiled database to another.
//
// It has three pure parts and one that acts:
//
//   - [Diff] compares two databases: which old service is which new one (by name,
//     by a line of a conversion file, or because the new definition says
//     renamed-from), and which fields of a definition changed, each with its
//     [Class].
//   - [Plan] plans: from the changes and from what is up it computes a [Patch],
//     the list of actions with the reason for each, and what is up afterwards.
//   - A Patch is data. It is written as JSON, read again, shown to people, and
//     says of each operation what must hold before and after it ([Ops]).
//   - [Apply] does what a patch says to a live directory, journal first.
//
// There are two policies. [Identity] is s6-rc's: a service is restarted if it is
// gone, has another type, gains a dependency that is not up, depends on one that
// restarts, or if the conversion file says so; what its definition contains is
// not looked at. [Definition] adds what is missed there: a changed field has a
// class that says whether nothing, a reload or a restart is due, essential
// services are never stopped without being told to, and what an operator stopped
// stays down unless something that is up needs it.
package update
