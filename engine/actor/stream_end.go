package actor

import (
	"errors"
	"io"
	"os"
	"strconv"
	"time"
)

// end is one end of a conversation.
type end struct {
	streams  *Streams
	actor    *Actor
	conn     *Conn
	role     int
	talk     *conversation // nil: not known yet
	patience time.Duration // how long it waits for the first bytes; 0: for ever
	opening  []byte        // what was read while the conversation was not known
	wrong    bool          // a wrong byte was read
	over     bool
	Fate
}

// mostOpening is the number of bytes by which an end must know its conversation.
const mostOpening = 4096

// run leads the conversation to its end. At the end the socket is closed.
func (e *end) run() {
	if e.talk != nil || e.learn() {
		e.follow()
	}
	e.checkSilence()
	if !e.conn.closed {
		_ = e.conn.Close()
		e.Finished = true
	}
	e.over = true
	if e.talk != nil {
		e.streams.judge(e.talk)
	}
}

// join makes the end a part of a conversation.
func (e *end) join(c *conversation) {
	e.talk = c
	if first := c.ends[e.role]; first != nil {
		e.failf("reached two %ss: %s and %s", roleName(e.role), first.actor.Name, e.actor.Name)
		return
	}
	c.ends[e.role] = e
	c.met = e.streams.Cast.Kernel.Now()
}

// learn reads until the first bytes tell which conversation this is. It returns false if the peer
// has ended before.
func (e *end) learn() bool {
	if e.patience > 0 {
		e.conn.Deadline(e.streams.Cast.Kernel.Now() + e.patience)
	}
	for len(e.opening) < mostOpening {
		b := e.streams.Cast.scratch[:mostOpening-len(e.opening)]
		n, err := e.conn.Read(b)
		if err != nil {
			e.Read = err
			return false
		}
		e.opening = append(e.opening, b[:n]...)
		if c := e.streams.find(e.opening); c != nil {
			e.conn.Deadline(0)
			e.join(c)
			e.actor.Name += " in " + strconv.Itoa(c.plan.Number)
			e.take(e.opening)
			return true
		}
	}
	e.streams.Cast.Failf("%s: the first bytes belong to no conversation: %q", e.actor.Name, e.opening[:64])
	return false
}

// follow does what the plan says.
func (e *end) follow() {
	if side := e.side(); side.End == Deaf { // the other end may be deaf, too: sending may block
		e.conn.Deadline(e.streams.Cast.Kernel.Now() + side.Patience)
	}
	reader := e.actor.Go("reads", func(*Actor) { e.readAll() })
	reader.Name = e.actor.Name // in traces, both are one
	e.Write = e.sendAll()
	if e.Write != nil {
		e.actor.Join(reader)
		return
	}
	e.leave(reader)
}

// side returns what the plan says about this end.
func (e *end) side() *StreamSide { return e.talk.plan.Side(e.role == server) }

// sendAll sends the pieces.
func (e *end) sendAll() error {
	side, goal := e.side(), len(e.talk.plan.prefix(e.role == server))
	for i, p := range side.Pieces {
		if p.After > 0 {
			e.actor.Until("waits for bytes", func() bool { return e.Received >= p.After || e.readsNoMore() })
		}
		if p.Pause > 0 {
			e.actor.Pause(p.Pause)
		}
		goal += p.Size
		if err := e.sendUpTo(goal); err != nil {
			return err
		}
		if side.Urgent == i+1 {
			_ = e.conn.Urgent('!') // UNIX sockets may refuse it
		}
	}
	err := e.sendUpTo(goal)
	e.Complete = err == nil
	return err
}

// mostSent is the number of bytes that an end offers to the kernel at once. Where a socket has
// taken less, the end offers a few times as much, but at least leastSent: filling costs time.
const (
	mostSent  = 16 << 10
	leastSent = 64
)

// sendUpTo sends until so many bytes are sent.
func (e *end) sendUpTo(goal int) error {
	for most := mostSent; e.Sent < goal; {
		// Others use the scratch memory while this actor waits. So it is filled after each wait.
		b := e.streams.Cast.scratch[:min(goal-e.Sent, most)]
		e.talk.plan.fill(b, e.role == server, e.Sent)
		n, errno := e.conn.offer(b, 0)
		e.Sent += n
		most = min(max(4*n, leastSent), mostSent)
		if errno == 0 {
			continue
		}
		if err := e.conn.again(errno, "sends", writable); err != nil {
			e.conn.refused("cannot send:", err)
			return err
		}
	}
	return nil
}

// mostReadPauses is the number of reads behind which a reader pauses.
const mostReadPauses = 50

// readAll reads as the plan says.
func (e *end) readAll() {
	a, r := e.streams.Cast.running, e.side().Read
	if r.Wait > 0 {
		a.Pause(r.Wait)
	}
	for reads := 0; r.Stop == 0 || e.Received < r.Stop; reads++ {
		b := e.streams.Cast.scratch
		if r.Most > 0 {
			b = b[:min(r.Most, len(b))]
		}
		n, err := e.conn.Read(b)
		if err != nil {
			e.ended(err)
			return
		}
		e.take(b[:n])
		if r.Pause > 0 && reads < mostReadPauses {
			a.Pause(r.Pause)
		}
	}
}

// readsNoMore reports whether the end has received its last byte.
func (e *end) readsNoMore() bool {
	stop := e.side().Read.Stop
	return e.Read != nil || stop > 0 && e.Received >= stop
}

// ended records why the end reads no more. An end that closed its socket itself has no reason.
func (e *end) ended(err error) {
	if !errors.Is(err, os.ErrClosed) {
		e.Read = err
	}
}

// leave ends the conversation as the plan says, after all bytes were sent.
func (e *end) leave(reader *Actor) {
	switch side := e.side(); side.End {
	case HalfClose:
		e.finish()
		e.actor.Join(reader)
	case CloseLast:
		e.actor.Join(reader)
	case CloseEarly:
	case ResetNow:
		e.reset()
	case FinThenReset:
		e.finish()
		e.actor.Pause(side.Patience)
		e.reset()
	case Mute, Deaf:
		e.loiter(side.Patience)
	}
}

// finish sends FIN.
func (e *end) finish() {
	_ = e.conn.CloseWrite() // fails if the peer has reset; the reader sees that
	e.Finished = true
}

// reset sends RST. Between UNIX sockets it is FIN.
func (e *end) reset() {
	_ = e.conn.Reset()
	e.Finished = e.Finished || e.conn.unix
}

// loiter waits until the peer has ended, or until the patience is over.
func (e *end) loiter(patience time.Duration) {
	k := e.streams.Cast.Kernel
	until := k.Now() + patience
	k.After(patience, func() {}) // the clock must stop there
	e.actor.Until("is silent", func() bool { return e.Read != nil || k.Now() >= until })
}

// checkSilence checks that no byte comes behind FIN.
func (e *end) checkSilence() {
	if e.conn.closed || !errors.Is(e.Read, io.EOF) {
		return
	}
	if n, _ := e.conn.process.Recv(e.conn.fd, e.streams.Cast.scratch[:1], 0); n > 0 {
		e.failf("bytes came behind FIN to %s", e.actor.Name)
	}
}

// take checks bytes that were read.
func (e *end) take(b []byte) {
	right := e.talk.plan.check(b, e.role == client, e.Received)
	if right < len(b) && !e.wrong {
		e.wrong = true
		e.failf("%s", e.describe(b, right))
	}
	e.Received += len(b)
}
