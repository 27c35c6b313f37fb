package actor

import (
	"errors"
	"fmt"
	"io"

	"golang.org/x/sys/unix"
)

// Fate is what happened to one end of a conversation.
type Fate struct {
	Name           string // of the actor
	Dial           error  // the connection never stood
	Sent, Received int    // bytes, urgent ones not counted
	Finished       bool   // it sent FIN, or closed its socket
	Complete       bool   // it sent all bytes of its plan
	Read           error  // why it reads no more: io.EOF for FIN; nil: by its own will
	Write          error  // why it could not send
}

// SawFIN reports whether FIN reached the end. A send that fails takes the reset with it: the end
// of the stream that the next read sees is no FIN then.
func (f Fate) SawFIN() bool {
	return errors.Is(f.Read, io.EOF) && !errors.Is(f.Write, unix.ECONNRESET)
}

// String describes what happened, for people.
func (f Fate) String() string {
	return fmt.Sprintf("sent %d bytes, received %d", f.Sent, f.Received) +
		because("cannot connect", f.Dial) + because("cannot send", f.Write) + because("cannot read", f.Read)
}

// because names an error, if there is one.
func because(what string, err error) string {
	if err == nil {
		return ""
	}
	return fmt.Sprintf(", %s: %v", what, err)
}

// Outcome is what happened in a conversation.
type Outcome struct {
	Plan           *StreamPlan
	Client, Server *Fate // nil: that end never took part, or never knew in which conversation it was
}

// Outcomes returns what happened in all conversations, in the order of their start.
func (s *Streams) Outcomes() []Outcome {
	all := make([]Outcome, len(s.talks))
	for i, c := range s.talks {
		all[i] = Outcome{Plan: c.plan, Client: c.fate(client), Server: c.fate(server)}
	}
	return all
}

func (c *conversation) fate(role int) *Fate {
	if c.ends[role] == nil {
		return nil
	}
	e := c.ends[role]
	e.Name = e.actor.Name
	return &e.Fate
}
