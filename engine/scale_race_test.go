//go:build race && !simulation

package engine

// racing makes large tests smaller under the race detector, which slows everything down and
// makes memory figures meaningless.
const racing = true
