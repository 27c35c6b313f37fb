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
//
// A [WebWorld] contains conversations in mode http. A [WebPlan] says what the client sends and how
// the servers answer; [DrawWeb] draws it within a [WebShape], and [WebExpect] says what the
// configuration does with each request. Each request has a number, by which a server finds its
// plan. Client and server compare every byte with the plan. The file web_fate.go states, from the
// plan alone, what may become of a request; every other outcome is a failure. A new fault is a
// value of [ClientFault] or [ServerFault]: it is drawn in web_draw.go, done in web_send.go or
// web_say.go, and its outcomes are in web_fate.go.
package actor
