// Package actor contains the clients and servers of a simulation. They run on a model of the
// kernel, package [sluice/engine/kernel], and know nothing of the engine between them.
//
// An [Actor] is a coroutine with a process of its own. It is written as blocking code. Where a
// socket is not ready, the actor waits, and the scheduler of the simulation goes on. All actors
// of a simulation form a [Cast]. [Cast.Step] continues one random actor among those that can go on.
//
// [Streams] are conversations in mode tcp. A [StreamPlan] says what both ends of a conversation
// do. Each end checks every byte that it reads, and the verdicts in stream_verdict.go compare what
// the two ends have seen.
package actor
