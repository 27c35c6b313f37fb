package kernel

import "fmt"

// trace passes a line about a call to the trace of the kernel, if there is one.
func (p *Process) trace(format string, args ...any) {
	if p.kernel.Trace != nil {
		p.kernel.Trace(p, fmt.Sprintf(format, args...))
	}
}
