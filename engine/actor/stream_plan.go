package actor

import (
	"fmt"
	"strings"
	"time"
)

// StreamPlan is the planned behaviour of the two ends of one conversation in mode tcp. It is a
// value: two runs of the same plan send the same bytes.
type StreamPlan struct {
	Number int     // identifies the conversation; > 0
	First  Speaker // the end that sends the first byte
	// Prefix is sent by the client before its stream. It must be empty or contain [NameOf] the
	// conversation, by which the server finds the plan.
	Prefix string
	// Fast makes the client connect with TCP Fast Open, if it speaks first and over TCP.
	Fast           bool
	Client, Server StreamSide // plans of the two ends
}

// Speaker is the end that sends the first byte.
type Speaker int

// The speakers. The first bytes of the speaker identify the plan for the other end.
const (
	ClientFirst Speaker = iota // the client sends the first byte
	ServerFirst                // the plan belongs to a connection of the server, see [Streams.Serve]
	NobodyFirst                // neither end sends a byte
)

// StreamSide is the planned behaviour of one end.
type StreamSide struct {
	Pieces []Piece // bytes that the end sends, in addition to Prefix
	Urgent int     // number of pieces after which the end sends an urgent byte; 0: none. Only over TCP.
	Read   Reading // way of reading
	End    Ending  // way of leaving the conversation
	// Patience is the pause of an end of the kind FinThenReset before its RST, and of the kinds
	// Mute and Deaf before they close. Other kinds ignore it.
	Patience time.Duration
}

// Piece is some bytes that an end sends together.
type Piece struct {
	Size  int           // bytes
	After int           // the end has received this many bytes before it sends the piece; 0: no condition
	Pause time.Duration // pause before the piece is sent
}

// Reading is the way in which an end reads. The zero value reads all available bytes at once,
// without pauses.
type Reading struct {
	Wait  time.Duration // pause before the first read
	Most  int           // maximum number of bytes of one read; 0: as many as are available
	Pause time.Duration // pause after each of the first 50 reads
	Stop  int           // number of bytes after which the end stops reading; 0: it reads to the end
}

// Ending is how an end leaves the conversation.
type Ending int

// The endings. The first two are polite: an end that leaves in this way reads until the other end's
// FIN, so no byte is lost.
const (
	HalfClose    Ending = iota // sends FIN, reads until FIN, closes
	CloseLast                  // reads until FIN, closes
	CloseEarly                 // closes at once, even if bytes are unread or not received yet
	ResetNow                   // resets at once
	FinThenReset               // sends FIN, waits for Patience, resets
	Mute                       // sends nothing more, not even FIN; closes after Patience
	Deaf                       // as Mute; also reads nothing after Read.Stop bytes
)

// String returns a short description of the ending, for messages.
func (e Ending) String() string {
	return [...]string{"sends FIN and reads to the end", "closes when it has read the end", "closes early", "resets",
		"sends FIN and resets", "falls silent", "never reads"}[e]
}

// Polite reports whether the ending is polite: no bytes are lost by it.
func (e Ending) Polite() bool { return e <= CloseLast }

// NameOf returns a text that identifies a conversation in a Prefix: "conversation-17". The byte
// after it must not be a digit.
func NameOf(number int) string { return fmt.Sprint(nameMark, number) }

const nameMark = "conversation-"

// Side returns the plan of one end.
func (p *StreamPlan) Side(server bool) *StreamSide {
	if server {
		return &p.Server
	}
	return &p.Client
}

// Polite reports whether both ends are polite. Then all bytes of both ends must arrive.
func (p *StreamPlan) Polite() bool { return p.Client.End.Polite() && p.Server.End.Polite() }

// Total returns the number of bytes that one end sends.
func (p *StreamPlan) Total(server bool) int {
	n := len(p.prefix(server))
	for _, piece := range p.Side(server).Pieces {
		n += piece.Size
	}
	return n
}

// Longest returns how long the conversation may take if the network takes no time. No pause within
// the conversation is longer either.
func (p *StreamPlan) Longest() time.Duration {
	return p.Client.longest() + p.Server.longest()
}

func (s *StreamSide) longest() time.Duration {
	d := s.Patience + s.Read.Wait + mostReadPauses*s.Read.Pause
	for _, piece := range s.Pieces {
		d += piece.Pause
	}
	return d
}

// prefix returns the bytes that an end sends before its stream.
func (p *StreamPlan) prefix(server bool) string {
	if server {
		return ""
	}
	return p.Prefix
}

// fill fills b with the bytes that an end sends from offset at on.
func (p *StreamPlan) fill(b []byte, server bool, at int) {
	n := 0
	if prefix := p.prefix(server); at < len(prefix) {
		n = copy(b, prefix[at:])
	}
	Stamp(b[n:], StreamOf(p.Number, server), at+n-len(p.prefix(server)))
}

// check compares b with the bytes that an end sends from offset at on. It returns the number of
// correct bytes before the first wrong one.
func (p *StreamPlan) check(b []byte, server bool, at int) int {
	prefix := p.prefix(server)
	n := 0
	for n < len(b) && at+n < len(prefix) {
		if b[n] != prefix[at+n] {
			return n
		}
		n++
	}
	return n + Check(b[n:], StreamOf(p.Number, server), at+n-len(prefix))
}

// String describes the plan for messages.
func (p *StreamPlan) String() string {
	first := [...]string{"the client speaks first", "the server speaks first", "nobody speaks"}[p.First]
	head := ""
	if p.Fast {
		first += " and uses TCP Fast Open"
	}
	if p.Prefix != "" {
		head = fmt.Sprintf("%d bytes of prefix, ", len(p.Prefix))
	}
	return fmt.Sprintf("conversation %d: %s.\n  client: %s%v\n  server: %v", p.Number, first, head, &p.Client, &p.Server)
}

// String describes the plan of an end for messages.
func (s *StreamSide) String() string {
	var b strings.Builder
	for i, p := range s.Pieces {
		fmt.Fprintf(&b, "%v, ", p)
		if s.Urgent == i+1 {
			b.WriteString("urgent byte, ")
		}
	}
	fmt.Fprintf(&b, "%v%v", s.End, s.Read)
	if !s.End.Polite() && s.Patience > 0 {
		fmt.Fprintf(&b, ", patience %v", s.Patience)
	}
	return b.String()
}

// String describes the piece for messages.
func (p Piece) String() string {
	s := fmt.Sprintf("%d bytes", p.Size)
	if p.After > 0 {
		s += fmt.Sprintf(" when it has %d", p.After)
	}
	if p.Pause > 0 {
		s += fmt.Sprintf(" and %v later", p.Pause)
	}
	return s
}

// String describes the way of reading for messages; empty: the zero value.
func (r Reading) String() string {
	s := ""
	if r.Wait > 0 {
		s += fmt.Sprintf(", reads after %v", r.Wait)
	}
	if r.Most > 0 {
		s += fmt.Sprintf(", reads %d bytes at once", r.Most)
	}
	if r.Pause > 0 {
		s += fmt.Sprintf(", a pause of %v behind reads", r.Pause)
	}
	if r.Stop > 0 {
		s += fmt.Sprintf(", reads no more after %d bytes", r.Stop)
	}
	return s
}
