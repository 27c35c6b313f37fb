package actor

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// verdict checks a rule that every conversation must obey. It returns a description of the
// violation; empty: none. One more rule is checked at each read, in [end.take]: every byte is the
// next one of the peer.
type verdict func(s *Streams, c *conversation) string

// verdicts are the rules, in the order in which they are checked.
var verdicts = []verdict{ended, dialled, met, denied, noMore, finBehindAll, whole, prompt}

// judge checks a conversation when both ends have left it.
func (s *Streams) judge(c *conversation) {
	if c.judged || !c.over(client) || !c.over(server) {
		return
	}
	s.sentence(c)
}

// over reports whether an end has joined the conversation and left it.
func (c *conversation) over(role int) bool {
	return c.ends[role] != nil && c.ends[role].over
}

// sentence checks all verdicts and reports the first violation.
func (s *Streams) sentence(c *conversation) {
	c.judged = true
	for _, holds := range verdicts {
		if wrong := holds(s, c); wrong != "" {
			s.Cast.Failf("conversation %d: %s", c.plan.Number, wrong)
			return
		}
	}
}

// Finish checks the conversations that have no verdict yet, at the end of a simulation.
func (s *Streams) Finish() {
	for _, c := range s.talks {
		if !c.judged {
			s.sentence(c)
		}
	}
}

// excuses reports whether one of the excuses holds for a conversation.
func (s *Streams) excuses(c *conversation, any Excuse) bool {
	return s.Excused != nil && s.Excused(c.plan)&any != 0
}

// ended: no end waits for ever.
func ended(_ *Streams, c *conversation) string {
	for _, e := range c.ends {
		if e != nil && !e.over {
			return e.actor.Waits() + " for ever"
		}
	}
	return ""
}

// dialled: the client is connected. If its bytes were sent with the SYN, the connection may be reset
// before the client notices that it is connected: by an impolite server, or because it is denied.
func dialled(s *Streams, c *conversation) string {
	e := c.ends[client]
	if e == nil || e.Dial == nil || s.excuses(c, Refused|Cut|Absent) {
		return ""
	}
	early := errors.Is(e.Dial, unix.ECONNRESET) || errors.Is(e.Dial, unix.EPIPE)
	if c.plan.Fast && early && (!c.plan.Server.End.Polite() || s.excuses(c, Denied)) {
		return ""
	}
	return fmt.Sprintf("%s cannot connect: %v", e.actor.Name, e.Dial)
}

// missed reports whether the client did not connect, and may fail to.
func (s *Streams) missed(c *conversation) bool {
	return c.ends[client] != nil && c.ends[client].Dial != nil && s.excuses(c, Absent)
}

// met: a polite client whose bytes identify its conversation reaches a server.
func met(s *Streams, c *conversation) string {
	e := c.ends[client]
	if e == nil || c.plan.First != ClientFirst || !c.plan.Client.End.Polite() || c.ends[server] != nil || s.excuses(c, Refused|Cut|Denied) || s.missed(c) {
		return ""
	}
	return fmt.Sprintf("%s reached no server: %v", e.actor.Name, e.Fate)
}

// denied: a conversation that the balancer must deny reaches no server. The rule holds after the
// client has sent its whole prefix, because the balancer decides by the prefix.
func denied(s *Streams, c *conversation) string {
	e := c.ends[client]
	if !s.excuses(c, Denied) || c.ends[server] == nil || e.Sent < len(c.plan.Prefix) {
		return ""
	}
	return "it must reach no server, and reached " + c.ends[server].actor.Name
}

// noMore: an end receives only bytes that the other end sent.
func noMore(_ *Streams, c *conversation) string {
	for role, e := range c.ends {
		if e == nil || e.Received == 0 {
			continue
		}
		other, sent := c.ends[1-role], 0
		if other != nil {
			sent = other.Sent
		}
		if e.Received > sent {
			return fmt.Sprintf("%s received %d bytes of %d that were sent", e.actor.Name, e.Received, sent)
		}
	}
	return ""
}

// finBehindAll: FIN reaches an end only if the other end has sent it, and only after all bytes. The
// exception is a RST on its way to a UNIX socket, where it appears as FIN.
func finBehindAll(s *Streams, c *conversation) string {
	if c.ends[client] == nil || c.ends[server] == nil || s.excuses(c, Cut) {
		return ""
	}
	for role, e := range c.ends {
		other := c.ends[1-role]
		mayReset := !c.plan.Side(role == client).End.Polite() || s.excuses(c, Broken)
		if !e.SawFIN() || e.conn.unix && mayReset {
			continue
		}
		if !other.Finished {
			return fmt.Sprintf("%s got FIN, which %s did not send", e.actor.Name, other.actor.Name)
		}
		if e.Received < other.Sent {
			return fmt.Sprintf("%s got FIN behind %d of %d bytes of %s", e.actor.Name, e.Received, other.Sent, other.actor.Name)
		}
	}
	return ""
}

// whole: if both ends are polite, both send all their bytes and receive FIN.
func whole(s *Streams, c *conversation) string {
	if !c.plan.Polite() || c.plan.First == ServerFirst && c.ends[client] == nil || s.excuses(c, Cut|Broken) || s.missed(c) {
		return ""
	}
	if c.ends[server] == nil && s.excuses(c, Refused|Denied) {
		return ""
	}
	for role, e := range c.ends {
		if e == nil {
			continue
		}
		if !e.Complete || !e.SawFIN() {
			return fmt.Sprintf("both ends are polite, but %s (%s): %v", e.actor.Name, roleName(role), e.Fate)
		}
	}
	return ""
}

// prompt: a conversation takes no longer than its plan and Slack allow.
func prompt(s *Streams, c *conversation) string {
	if s.Slack == 0 || c.ends[client] == nil || c.ends[server] == nil || s.excuses(c, Cut) {
		return ""
	}
	took, most := s.Cast.Kernel.Now()-c.met, c.plan.Longest()+s.Slack
	if took <= most {
		return ""
	}
	return fmt.Sprintf("it took %v; its plan and the slack allow %v", took, most)
}

// failf reports a failure of the end's conversation.
func (e *end) failf(format string, args ...any) {
	e.streams.Cast.Failf("conversation %d: %s", e.talk.plan.Number, fmt.Sprintf(format, args...))
}

// describe returns a message about the first wrong byte of b, which is at index right.
func (e *end) describe(b []byte, right int) string {
	got := b[right:]
	text := fmt.Sprintf("%s gets a wrong byte %d: % x", e.actor.Name, e.Received+right, got[:min(len(got), 2*word)])
	if s, at, ok := Recognise(got); ok {
		text += fmt.Sprintf(" are %v from offset %d", s, at)
	}
	return text
}

func roleName(role int) string { return [...]string{"client", "server"}[role] }
