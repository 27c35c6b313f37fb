package actor

// This file draws the behaviour of the server and the faults of the client.

func (d *drawing) answer(q *WebRequest, spoiled bool) {
	a := &q.Answer
	a.Status = pick(d, 200, 200, 200, 200, 404, 500, 204, 304)
	a.Body, a.Early = d.size(), -1
	a.Framing = pick(d, ByLength, ByLength, ByLength, ByChunks, ByChunks, ByEnd)
	a.Old, a.Close = d.once(12), d.once(10)
	if a.Framing == ByChunks && (a.Old || q.Old) {
		a.Framing = ByLength
	}
	a.Trailer = d.once(3)
	a.Said100 = q.Continue && d.once(2)
	if d.once(6) {
		a.Interim = d.between(1, 3)
	}
	a.Wait, a.Pause, a.Piece, a.Gulp = d.pause(), d.pause(), d.piece(), d.piece()
	a.Fill = d.fill()
	if d.once(10) {
		a.Odd = pick(d, oddAnswers...).name
	}
	d.early(q)
	if spoiled {
		d.spoil(q)
	}
}

// early lets the server answer some requests before it has the whole request.
func (d *drawing) early(q *WebRequest) {
	a := &q.Answer
	switch {
	case q.Body > 0 && d.once(4):
		a.Early = d.IntN(q.Body)
		q.Halts = d.once(3)
	case d.once(20):
		a.Early, a.Blind = 0, true
	}
}

// spoil draws a fault of the server for a request.
func (d *drawing) spoil(q *WebRequest) {
	a := &q.Answer
	a.Fault = pick(d, ServerCloses, ServerCloses, ServerFIN, ServerResets, ServerResets, ServerStops, ServerAdds, ServerAdds, ServerAdds, ServerErrs, ServerDies)
	a.Acked = d.once(2)
	switch a.Fault {
	case ServerAdds:
		a.Framing, a.Early, a.Blind, a.Apart = ByLength, -1, false, d.once(2)
		if !a.Old && !q.Old && d.once(2) {
			a.Framing = ByChunks
		}
	case ServerErrs:
		d.mangle(q)
	case ServerStops:
		if d.Patience == 0 {
			a.Fault = ServerCloses
		}
	case ServerDies:
		a.At = d.size() // bytes of the request's body that are read before
	}
	if a.Fault != ServerDies {
		a.At = d.faultAt(q)
	}
	if a.Late = d.once(2); a.Late {
		a.Acked, a.At = false, len(q.appendAnswer(nil).bytes)
	}
}

// faultAt returns the number of bytes of the answer that the server sends before its fault. Often
// this is the start or the end of the head or of the body.
func (d *drawing) faultAt(q *WebRequest) int {
	t := q.appendAnswer(nil)
	switch d.IntN(8) {
	case 0:
		return 0
	case 1:
		return t.head
	case 2:
		return t.body
	case 3, 4:
		return len(t.bytes)
	}
	return d.IntN(len(t.bytes) + 1)
}

// mangle makes the answer malformed, with a random entry of badAnswers.
func (d *drawing) mangle(q *WebRequest) {
	a := &q.Answer
	bad := pick(d, badAnswers...)
	if bad.chunk != "" {
		a.Framing, a.Status, a.Old = ByChunks, 200, false
		if q.Old || q.Method == "HEAD" {
			bad = badAnswers[0]
		}
	}
	a.Bad = bad.name
}

// client draws how the client writes and reads, and its fault, if it has one.
func (d *drawing) client() {
	p := d.plan
	p.Piece, p.Pause, p.Gulp, p.Rest = d.piece(), d.pause(), d.piece(), d.pause()
	n := len(p.Requests)
	last := &p.Requests[n-1]
	switch {
	case d.once(2) || d.Tame:
		p.HalfEnd = !last.Upgrade && d.once(4)
	case !last.Upgrade && d.once(8):
		p.Behind = pick(d, "\r\n", "\r\n\n\r\n", "G", "GET / HTTP/1.1\r\nHost:", "\x16\x03\x01\x02\x00\r\n\r\n", "x\r\n\r\n")
	case d.once(4):
		d.malform(&p.Requests[d.IntN(n)])
	case d.once(2):
		d.disturb()
	}
}

// malform makes a request malformed, with a random entry of badRequests.
func (d *drawing) malform(q *WebRequest) {
	if q.Upgrade || q.Method == "HEAD" {
		return
	}
	bad := pick(d, badRequests...)
	q.Malformed, q.Odd, q.Continue = bad.name, "", false
	if bad.chunk != "" {
		q.Old, q.Keep, q.Framing, q.Trailer = false, false, ByChunks, false
	}
}

// disturb draws a fault of the client.
func (d *drawing) disturb() {
	p := d.plan
	p.FaultIn = d.IntN(len(p.Requests))
	q := &p.Requests[p.FaultIn]
	p.Fault = pick(d, ClientFIN, ClientResets, ClientStops, ClientLeaves, ClientDrops, ClientRests)
	if p.Fault == ClientStops && d.Patience == 0 {
		p.Fault = ClientResets
	}
	var text []byte
	if p.Fault.sending() {
		text, _ = q.appendTo(nil)
	} else {
		text = q.appendAnswer(nil).bytes
	}
	p.FaultAt = d.IntN(len(text) + 1)
	if d.once(4) {
		p.FaultAt = 0
	}
}

// settle removes contradictions between the parts of a plan, after they were drawn or removed.
func (p *WebPlan) settle() {
	for i := range p.Requests {
		q := &p.Requests[i]
		a := &q.Answer
		if i > 0 && p.Requests[i-1].Answer.Fault == ServerAdds {
			q.Waits = true // otherwise the balancer could take the added bytes for this request's answer
		}
		if q.tunnels() || q.Framing == NoBody && !a.Blind {
			a.Early = -1
		}
		if q.tunnels() {
			a.Blind = false
		}
		if q.Expect.Answer != 0 {
			q.Eager = false
		}
		if q.Upgrade && a.Bad == unwantedTunnel {
			a.Bad = badAnswers[0].name
		}
		if q.ruled() {
			a.Fault = Fair // no server gets it
		}
		q.Halts = q.Halts && q.mayHalt()
	}
}

// mayHalt reports whether the client may wait within its request, because the answer or the end of
// the connection comes for certain. A fair server ends an answer without a length only when it has
// the whole request.
func (q *WebRequest) mayHalt() bool {
	switch q.Answer.Fault {
	case Fair, ServerCloses, ServerFIN, ServerResets:
		waits := q.untilEnd() && q.Answer.Fault == Fair
		return q.Framing == ByLength && q.Answer.Early >= 0 && !waits && !q.Continue && q.Malformed == ""
	}
	return false
}
