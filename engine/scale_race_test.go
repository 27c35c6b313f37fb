//go:build race

package engine

// racing: the race detector's shadow makes figures of memory meaningless and
// everything slow, so large tests are smaller with it.
const racing = true
