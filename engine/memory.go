package engine

import (
	"sluice/conf"
	"sluice/engine/relay"
)

// Memory bounds what the process holds for its sessions, in bytes by purpose.
// What one purpose uses up is not missing to another: a thousand stalled
// downloads do not keep a hello in two pieces from being read.
type Memory struct {
	Readers    int64 // bytes that slow readers have not taken yet
	Inspection int64 // heads and hellos that are not complete, requests that wait for their turn
	Answers    int64 // heads of answers that are not complete
	Records    int64 // what log lines will tell of outstanding requests
}

const (
	// defaultMemory bounds each purpose. For slow readers, buffer_budget may say
	// something else.
	defaultMemory = 64 << 20
	// ownHead is what a connection may hold of a head or hello, however much
	// others hold: so the usual ones always have room. A browser's hello takes
	// 2 KiB of it.
	ownHead = 8 << 10
	// ownRecord is the same of a log line: a request line, and some captures. Those
	// that have no room are left out.
	ownRecord = 2 << 10
)

func memoryOf(g *conf.Global) Memory {
	m := Memory{Readers: defaultMemory, Inspection: defaultMemory, Answers: defaultMemory, Records: defaultMemory}
	if g.BufferBudget != 0 {
		m.Readers = g.BufferBudget
	}
	return m
}

func (m *Memory) budgets() relay.Budgets {
	return relay.Budgets{
		relay.ForReader:     relay.NewBudget(m.Readers, 0),
		relay.ForInspection: relay.NewBudget(m.Inspection, ownHead),
		relay.ForAnswer:     relay.NewBudget(m.Answers, ownHead),
		relay.ForRecord:     relay.NewBudget(m.Records, ownRecord),
	}
}
