package engine

import (
	"sluice/conf"
	"sluice/engine/relay"
)

// Memory bounds what the process holds for its sessions, in bytes by purpose.
// What one purpose uses up is not missing to another. Where a purpose has used up
// its own, bytes stay in the sockets and are looked at there.
type Memory struct {
	Readers    int64 // bytes that slow readers have not taken yet
	Inspection int64 // clients' bytes that are looked at, or wait for their turn or for a server
	Answers    int64 // heads of answers that are not complete
	Records    int64 // what log lines will tell of outstanding requests, and copies of those that may be repeated
}

const (
	// defaultMemory bounds each purpose. For slow readers, buffer_budget may say
	// something else.
	defaultMemory = 64 << 20
	// ownRecord is what a request may hold for its log line, however much others
	// hold: a request line, and some captures. Those that have no room are left out.
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
		relay.ForInspection: relay.NewBudget(m.Inspection, 0),
		relay.ForAnswer:     relay.NewBudget(m.Answers, 0),
		relay.ForRecord:     relay.NewBudget(m.Records, ownRecord),
	}
}
