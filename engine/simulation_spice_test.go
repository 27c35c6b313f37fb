//go:build simulation

package engine

import (
	"fmt"
	"math/rand/v2"

	"sluice/engine/actor"
)

// spices are unusual header fields of requests and answers that the balancer treats in a special
// way, and urgent bytes, which it must not pass on.
var spices = []struct {
	fits  func(q *asked) bool
	apply func(q *asked)
}{
	{func(*asked) bool { return true }, func(q *asked) {
		q.adds("TE: gzip, trailers")
		q.has("TE: trailers")
	}},
	{(*asked).saysNothing, func(q *asked) {
		q.adds("Connection: X-Hop", "X-Hop: 1")
		q.has("X-Hop: 1") // the balancer must keep it: otherwise a client could remove fields that the balancer adds
	}},
	{(*asked).saysNothing, func(q *asked) {
		q.adds("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__")
		q.lacks("Upgrade", "HTTP2-Settings")
	}},
	{func(*asked) bool { return true }, func(q *asked) { q.Urgent = true }},
	{func(*asked) bool { return true }, func(q *asked) { q.WebRequest.Answer.Urgent = true }},
	{(*asked).answersByLength, func(q *asked) { q.says(fmt.Sprint("Content-Length: ", q.WebRequest.Answer.Body)) }},
	{(*asked).answersByLength, func(q *asked) { q.says("Cache-Control: public, max-age=9") }},
	{(*asked).answersByLength, func(q *asked) { q.says("Cache-Control: private=\"x, y\", no-cache", "Pragma: no-cache") }},
}

// saysNothing reports whether the request has no Connection field and is not HTTP/1.0.
func (q *asked) saysNothing() bool { return !q.Close && !q.Keep && !q.Upgrade && !q.Old }

// answersByLength reports whether the answer has a Content-Length.
func (q *asked) answersByLength() bool {
	a := &q.WebRequest.Answer
	return a.Framing == actor.ByLength && a.Status >= 200 && a.Status != 204 && !q.Upgrade
}

// season gives some requests or their answers one of the spices.
func (q *asked) season(r *rand.Rand) {
	if s := &spices[r.IntN(len(spices))]; r.IntN(6) == 0 && s.fits(q) {
		s.apply(q)
	}
}
