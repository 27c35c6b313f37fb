package scenario

import (
	"maps"
	"time"

	"sluice/bench/measure"
)

// Meter reads the CPU time of a proxy's processes and of the machine. If strace is set, it
// counts system calls instead, and its times are meaningless.
type Meter struct {
	pids    []int  // the proxy's processes; none for direct
	strace  string // directory for strace's output; empty: no strace
	tracer  *measure.Trace
	calls   map[string]int64
	cpu     measure.CPU     // after Stop: used between Start and Stop
	machine measure.Machine // after Stop: used between Start and Stop
	err     error           // first error
}

// Start takes the first reading.
func (m *Meter) Start() {
	if m.strace != "" {
		m.tracer, m.err = measure.Attach(m.pids, m.strace)
	}
	m.cpu, m.machine = m.read()
}

// Stop takes the second reading and computes the difference. It must be called once.
func (m *Meter) Stop() {
	cpu, machine := m.read()
	m.cpu, m.machine = cpu.Sub(m.cpu), machine.Sub(m.machine)
	if m.tracer != nil {
		var err error
		if m.calls, err = m.tracer.Calls(); err != nil && m.err == nil {
			m.err = err
		}
	}
}

func (m *Meter) read() (measure.CPU, measure.Machine) {
	cpu, err := measure.CPUOf(m.pids)
	if err != nil && m.err == nil {
		m.err = err
	}
	machine, err := measure.ReadMachine()
	if err != nil && m.err == nil {
		m.err = err
	}
	return cpu, machine
}

// figures returns the metrics of a round. Without processes there are no metrics of the proxy's
// CPU time. Those of the machine then show the cost of the load itself.
func (m *Meter) figures(unit string, d *Done) map[string]float64 {
	scale, per := time.Microsecond, "_us_per_"+unit
	if unit == "gb" {
		scale, per = time.Millisecond, "_ms_per_"+unit
	}
	each := func(used time.Duration) float64 { return float64(used) / float64(scale) / d.Units }
	f := map[string]float64{
		unit + "_per_s": d.Units / d.Elapsed.Seconds(),
		"softirq" + per: each(m.machine.SoftIRQ),
		"machine" + per: each(m.machine.Busy),
	}
	if len(m.pids) > 0 {
		f["cpu"+per] = each(m.cpu.Total)
		f["cpu_user"+per] = each(m.cpu.User)
		f["cpu_system"+per] = each(m.cpu.System)
	}
	maps.Copy(f, d.Extra)
	return f
}
