// Command compare compares the working tree with another version:
//
//	go run ./bench/compare -ref main
//
// It checks the other version out into a temporary git worktree, which it removes at the end.
// It runs the Go benchmarks of both versions, and then the harness with both builds in the same
// rounds. benchstat summarizes both results. The working tree includes changes that are not
// committed.
package main
