// Package result holds what was measured: the shape of the JSON file, and the
// statistics over rounds. It is plain data that one goroutine fills.
//
// Rounds are interleaved, so the i-th run of one proxy was a moment before or
// after the i-th run of another, on the same machine in the same mood.
// Therefore ratios are made of pairs, run by run, and only then summed up.
package result
