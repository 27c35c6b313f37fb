package actor

// send is the coroutine of a client that sends the requests, up to the client's fault.
func (c *webClient) send(a *Actor) {
	text, bytes := c.buffer(), 0
	defer func() { c.free(text) }()
	for i := range c.plan.Requests {
		q := &c.plan.Requests[i]
		if c.await(a, q, i); c.over {
			return
		}
		c.tracks[q.Number].started = true
		if c.Sites != nil {
			c.Sites.Asks(q.Number, bytes, i == 0 || q.Waits)
		}
		var head int
		text, head = q.appendTo(text[:0])
		bytes += len(text)
		if c.plan.Fault.sending() && i == c.plan.FaultIn {
			c.disturb(a, q, text)
			return
		}
		if c.sendErr = c.sendOne(a, q, text, head); c.sendErr != nil {
			return
		}
		c.sent++
		c.tracks[q.Number].record.Sent = true
	}
	c.sendLast(a)
}

// await waits until the plan allows the client to send request i.
func (c *webClient) await(a *Actor, q *WebRequest, i int) {
	if q.Waits && i > 0 {
		a.Until("waits for an answer", func() bool { return c.answered >= i || c.over })
	}
	if i > 0 && !c.over && c.plan.Requests[i-1].trails() {
		before := c.tracks[c.plan.Requests[i-1].Number]
		a.Until("waits for bytes or FIN behind an answer", func() bool { return before.settled || c.over })
		a.Pause(1) // so that the balancer can notice them first
	}
	if q.Wait > 0 {
		a.Pause(q.Wait)
	}
}

// sendOne sends a request. With Expect: 100-continue or Halts, it sends a part, and waits for an
// answer before it sends the rest.
func (c *webClient) sendOne(a *Actor, q *WebRequest, text []byte, head int) error {
	if q.Urgent {
		if err := c.conn.urge(); err != nil {
			return err
		}
	}
	part := 0
	switch {
	case q.Halts:
		part = head + q.Answer.Early
	case q.Continue:
		part = head
	}
	if part > 0 && part < len(text) {
		if _, err := a.writePieces(c.conn, text[:part], c.plan.Piece, c.plan.Pause); err != nil {
			return err
		}
		c.awaitAnswer(a, q)
		text = text[part:]
	}
	_, err := a.writePieces(c.conn, text, c.plan.Piece, c.plan.Pause)
	return err
}

// awaitAnswer waits within a request. With Halts, it waits until the whole answer has come, or
// until the connection has ended.
func (c *webClient) awaitAnswer(a *Actor, q *WebRequest) {
	if q.Halts {
		a.Until("waits for an early answer", func() bool { return c.answered > c.plan.index(q) || c.over })
		return
	}
	c.awaitContinue(a, q)
}

// awaitContinue waits for an interim answer, a final answer or a timeout: 1/16 of the shortest
// timeout of the configuration.
func (c *webClient) awaitContinue(a *Actor, q *WebRequest) {
	late := false
	a.Cast.Kernel.After(1+c.plan.shape.Patience/16, func() { late = true })
	a.Until("waits for 100 Continue", func() bool { return late || c.continued > c.plan.index(q) || c.over })
}

// disturb sends a part of a request, and performs the client's fault.
func (c *webClient) disturb(a *Actor, q *WebRequest, text []byte) {
	n := min(c.plan.FaultAt, len(text))
	if n == len(text) {
		c.sent++
		c.tracks[q.Number].record.Sent = true
	}
	if _, c.sendErr = a.writePieces(c.conn, text[:n], c.plan.Piece, c.plan.Pause); c.sendErr != nil {
		return
	}
	switch c.plan.Fault {
	case ClientFIN:
		_ = c.conn.CloseWrite()
	case ClientResets:
		_ = c.conn.Reset()
	}
}

// sendLast sends the bytes or the FIN that the plan has after the last request.
func (c *webClient) sendLast(a *Actor) {
	last := &c.plan.Requests[len(c.plan.Requests)-1]
	switch {
	case last.Upgrade:
		c.sendUp(a, last)
	case c.plan.Behind != "":
		if _, c.sendErr = c.conn.Write([]byte(c.plan.Behind)); c.sendErr == nil {
			_ = c.conn.CloseWrite()
		}
	case c.plan.HalfEnd:
		_ = c.conn.CloseWrite()
	}
}

// sendUp sends the client's bytes into the tunnel, and FIN.
func (c *webClient) sendUp(a *Actor, q *WebRequest) {
	if !q.Eager {
		a.Until("waits for the tunnel", func() bool { return c.tunnel || c.over })
	}
	if !c.tunnel && !q.Eager {
		return
	}
	text := appendStamp(c.buffer(), q.stream(tunnelUp), 0, q.Up)
	defer func() { c.free(text) }()
	if _, c.sendErr = a.writePieces(c.conn, text, c.plan.Piece, c.plan.Pause); c.sendErr == nil {
		_ = c.conn.CloseWrite()
	}
}
