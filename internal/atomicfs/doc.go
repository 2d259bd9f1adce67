// Package atomicfs writes files that are either whole or not there.
//
// [WriteFile] makes a temporary file beside the target, fills and syncs it,
// renames it over the target and syncs the directory, so that neither a crash
// nor a full disk leaves a half-written file, and a failure leaves no temporary
// file. [Create] is the same with the target refused if it exists.
package atomicfs
