package plan

import (
	"sluice/conf"
	"sluice/engine/relay"
)

// Memory contains the maximum number of bytes that the process holds for its sessions, by purpose.
// A purpose whose budget is used up takes nothing from the others. Further bytes then stay in the
// sockets, from where they are parsed.
type Memory struct {
	Readers    int64 // bytes that slow readers have not taken yet
	Inspection int64 // bytes of clients that are being inspected, or wait for their turn or for a server
	Answers    int64 // incomplete heads of answers
	Records    int64 // parts of log lines for outstanding requests, and copies of requests that may be repeated
}

const (
	// defaultMemory is the budget of each purpose in bytes. The directive buffer_budget sets the
	// budget of slow readers. A lower buffer_budget lowers the other budgets too, but not below
	// leastMemory.
	defaultMemory = 64 << 20
	leastMemory   = 4 << 20
	// OwnRecord is the number of bytes that each request may hold for its log line even if the
	// budget is used up. They suffice for a request line and some captures. Captures that exceed
	// OwnRecord and the budget are left out. A copy of the request, for repeating it, may hold as
	// many bytes.
	OwnRecord = 2 << 10
)

// memoryOf returns the budgets that the configuration asks for.
func memoryOf(g *conf.Global) Memory {
	readers := g.BufferBudget
	if readers == 0 {
		readers = defaultMemory
	}
	others := min(max(readers, leastMemory), defaultMemory)
	return Memory{Readers: readers, Inspection: others, Answers: others, Records: others}
}

// Budgets returns new budgets of these sizes.
func (m Memory) Budgets() relay.Budgets {
	return relay.Budgets{
		relay.ForReader:     relay.NewBudget(m.Readers, 0),
		relay.ForInspection: relay.NewBudget(m.Inspection, 0),
		relay.ForAnswer:     relay.NewBudget(m.Answers, 0),
		relay.ForRecord:     relay.NewBudget(m.Records, OwnRecord),
	}
}
