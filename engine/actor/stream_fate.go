package actor

import (
	"errors"
	"fmt"
	"io"

	"golang.org/x/sys/unix"
)

// Fate is the record of one end of a conversation.
type Fate struct {
	Name           string // name of the actor
	Dial           error  // not nil: the connection was never established
	Sent, Received int    // numbers of bytes, without urgent bytes
	Finished       bool   // the end has sent FIN, or closed its socket
	Complete       bool   // the end has sent all bytes of its plan
	Read           error  // the error that ended reading; io.EOF: FIN; nil: the end stopped reading itself
	Write          error  // the error that ended sending; nil: none
}

// SawFIN reports whether FIN reached the end. Linux reports a reset once: if a send has failed with
// ECONNRESET, the next read returns the end of the stream although no FIN came.
func (f Fate) SawFIN() bool {
	return errors.Is(f.Read, io.EOF) && !errors.Is(f.Write, unix.ECONNRESET)
}

// String describes the record for messages.
func (f Fate) String() string {
	return fmt.Sprintf("sent %d bytes, received %d", f.Sent, f.Received) +
		because("cannot connect", f.Dial) + because("cannot send", f.Write) + because("cannot read", f.Read)
}

// because returns what and an error as the continuation of a sentence; empty: no error.
func because(what string, err error) string {
	if err == nil {
		return ""
	}
	return fmt.Sprintf(", %s: %v", what, err)
}

// Outcome is the result of one conversation.
type Outcome struct {
	Plan           *StreamPlan // the plan of the conversation
	Client, Server *Fate       // nil: the end never joined, or its first bytes never identified the conversation
}

// Outcomes returns the results of all conversations, in the order of their start.
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
