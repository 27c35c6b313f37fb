package actor

import (
	"errors"
	"io"
	"os"
	"strconv"
	"time"

	"sluice/engine/kernel"
)

// end is one end of a conversation.
type end struct {
	streams  *Streams
	actor    *Actor
	conn     *Conn
	role     int
	talk     *conversation // nil: the first bytes have not identified it yet
	patience time.Duration // maximum wait for the peer's first bytes; 0: no limit
	opening  []byte        // bytes that were read before the conversation was known
	wrong    bool          // a wrong byte was read and reported
	over     bool
	Fate
}

// mostOpening is the number of bytes within which an end must identify its conversation.
const mostOpening = 4096

// run plays the end until it leaves the conversation, and closes the socket.
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

// dial connects a client that speaks first. With TCP Fast Open its first piece may go with the SYN.
func (e *end) dial(to kernel.Address) {
	plan := e.talk.plan
	if !plan.Fast || to.IsUnix() || len(plan.Client.Pieces) == 0 {
		e.conn, e.Dial = e.actor.Dial(to)
		return
	}
	b := make([]byte, len(plan.Prefix)+plan.Client.Pieces[0].Size)
	plan.fill(b, false, 0)
	e.conn, e.Sent, e.Dial = e.actor.DialWith(to, b)
}

// learn reads until the first bytes identify the conversation. It returns false if no such bytes
// came: the peer has ended, the deadline has passed, or the bytes are unknown.
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

// follow sends, reads and leaves as the plan demands.
func (e *end) follow() {
	if most := e.streams.Silence; most > 0 {
		e.conn.Deadline(e.streams.Cast.Kernel.Now() + most)
	}
	if side := e.side(); side.End == Deaf { // a deadline, because sending blocks if the other end reads nothing, too
		e.conn.Deadline(e.streams.Cast.Kernel.Now() + side.Patience)
	}
	reader := e.actor.Go("reads", func(*Actor) { e.readAll() })
	reader.Name = e.actor.Name // traces show both coroutines under one name
	e.Write = e.sendAll()
	if e.Write != nil {
		e.actor.Join(reader)
		return
	}
	e.leave(reader)
}

// side returns the plan of this end.
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
			if err := e.conn.urge(); err != nil {
				return err
			}
		}
	}
	err := e.sendUpTo(goal)
	e.Complete = err == nil
	return err
}

// mostSent is the number of bytes that an end offers to the kernel at once. After a partial write,
// the end offers only 4 times as many bytes as the socket has taken, but at least leastSent. So it
// computes few bytes in vain.
const (
	mostSent  = 16 << 10
	leastSent = 64
)

// sendUpTo sends until goal bytes have been sent in total.
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

// mostReadPauses is the number of reads after which a reader pauses; later reads have no pause.
const mostReadPauses = 50

// readAll reads with the sizes and pauses of the plan, until an error or Reading.Stop.
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

// readsNoMore reports whether the end reads no further byte.
func (e *end) readsNoMore() bool {
	stop := e.side().Read.Stop
	return e.Read != nil || stop > 0 && e.Received >= stop
}

// ended records the error that has ended the reading. An end that closed its socket itself records
// none.
func (e *end) ended(err error) {
	if !errors.Is(err, os.ErrClosed) {
		e.Read = err
	}
}

// leave performs the planned ending, after all bytes were sent.
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

// loiter waits until the peer has ended the connection, or until patience has passed.
func (e *end) loiter(patience time.Duration) {
	k := e.streams.Cast.Kernel
	until := k.Now() + patience
	k.After(patience, func() {}) // a timer, so that the clock does not skip this time
	e.actor.Until("is silent", func() bool { return e.Read != nil || k.Now() >= until })
}

// checkSilence checks that no byte comes after FIN.
func (e *end) checkSilence() {
	if e.conn.closed || !errors.Is(e.Read, io.EOF) {
		return
	}
	if n, _ := e.conn.process.Recv(e.conn.fd, e.streams.Cast.scratch[:1], 0); n > 0 {
		e.failf("bytes came behind FIN to %s", e.actor.Name)
	}
}

// take checks bytes that were read, and counts them.
func (e *end) take(b []byte) {
	right := e.talk.plan.check(b, e.role == client, e.Received)
	if right < len(b) && !e.wrong {
		e.wrong = true
		e.failf("%s", e.describe(b, right))
	}
	e.Received += len(b)
}
