// Package actor contains the clients and servers of a simulation. They run on a model of the
// kernel, package [sluice/engine/kernel], and are independent of the engine between them.
//
// An [Actor] is a coroutine with a process of its own. It is written as blocking code. Where a
// socket is not ready, the actor waits, and the scheduler of the simulation continues. All actors
// of a simulation form a [Cast], which owns them. [Cast.Step] continues one random actor among
// those that can continue. A cast and its actors belong to one goroutine.
//
// [Streams] are conversations in mode tcp. A [StreamPlan] contains the behaviour of both ends of a
// conversation. Each end checks every byte that it reads. The verdicts in stream_verdict.go compare
// the records of the two ends.
//
// A [WebWorld] contains conversations in mode http. A [WebPlan] contains the requests of the client
// and the answers of the servers. [DrawWeb] draws a plan within a [WebShape], and [WebExpect]
// contains the effects of the configuration on each request. Each request has a number, by which a
// server finds its plan. Client and server compare every byte with the plan. The file web_fate.go
// computes, from the plan alone, the possible outcomes of a request; every other outcome is a
// failure. A new fault is a value of [ClientFault] or [ServerFault]. It is drawn in web_draw.go and
// performed in web_send.go or web_say.go; its outcomes are in web_fate.go.
package actor
