package actor

import (
	"fmt"
	"strings"
	"time"
)

// StreamPlan says what the two ends of one conversation in mode tcp do. It is a value: the same
// plan gives the same bytes.
type StreamPlan struct {
	Number int // names the conversation; > 0
	First  Speaker
	// Prefix is what the client sends in front of its stamps. It must be empty or contain
	// [NameOf] the conversation, so that the server can look the plan up.
	Prefix         string
	Client, Server StreamSide
}

// Speaker says who sends the first byte.
type Speaker int

// The speakers. Who is spoken to learns from the first bytes which plan to follow.
const (
	ClientFirst Speaker = iota
	ServerFirst         // the plan belongs to a connection of the server, see [Streams.Serve]
	NobodyFirst         // neither end sends a byte
)

// StreamSide says what one end does.
type StreamSide struct {
	Pieces []Piece // what it sends, besides Prefix
	Urgent int     // behind so many pieces it sends an urgent byte; 0: none. Only over TCP.
	Read   Reading
	End    Ending
	// Patience is how long an end of the kinds FinThenReset, Mute and Deaf waits before its
	// last act.
	Patience time.Duration
}

// Piece is some bytes that an end sends together.
type Piece struct {
	Size  int           // bytes
	After int           // it has received so many bytes before; 0: no condition
	Pause time.Duration // before it sends
}

// Reading says how an end reads. The zero value reads whatever is there.
type Reading struct {
	Wait  time.Duration // before the first read
	Most  int           // bytes at once; 0: as many as there are
	Pause time.Duration // after each of the first 50 reads
	Stop  int           // it reads no more when it has so many bytes; 0: it reads to the end
}

// Ending is how an end leaves the conversation.
type Ending int

// The endings. The first two are polite: such an end loses nothing that the other end sends.
const (
	HalfClose    Ending = iota // sends FIN, reads until FIN, closes
	CloseLast                  // reads until FIN, closes
	CloseEarly                 // closes at once, whatever is unread or still comes
	ResetNow                   // resets at once
	FinThenReset               // sends FIN, waits, resets
	Mute                       // sends nothing more, not even FIN; closes when its patience ends
	Deaf                       // as Mute, and reads nothing since Read.Stop
)

// String returns what the end does, for people.
func (e Ending) String() string {
	return [...]string{"sends FIN and reads to the end", "closes when it has read the end", "closes early", "resets",
		"sends FIN and resets", "falls silent", "never reads"}[e]
}

// Polite reports whether an end that leaves so loses no bytes.
func (e Ending) Polite() bool { return e <= CloseLast }

// NameOf returns a text that names a conversation in a Prefix: "conversation-17". A byte that is
// no digit must follow it.
func NameOf(number int) string { return fmt.Sprint(nameMark, number) }

const nameMark = "conversation-"

// Side returns what one end does.
func (p *StreamPlan) Side(server bool) *StreamSide {
	if server {
		return &p.Server
	}
	return &p.Client
}

// Polite reports whether both ends are polite. Such a conversation must be whole.
func (p *StreamPlan) Polite() bool { return p.Client.End.Polite() && p.Server.End.Polite() }

// Total returns the number of bytes that one end sends.
func (p *StreamPlan) Total(server bool) int {
	n := len(p.prefix(server))
	for _, piece := range p.Side(server).Pieces {
		n += piece.Size
	}
	return n
}

// Longest returns how long the conversation may take if the network takes no time. In between, no
// silence of an end is longer.
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

// prefix returns what an end sends in front of its stamps.
func (p *StreamPlan) prefix(server bool) string {
	if server {
		return ""
	}
	return p.Prefix
}

// fill writes the bytes that an end sends from offset at on.
func (p *StreamPlan) fill(b []byte, server bool, at int) {
	n := 0
	if prefix := p.prefix(server); at < len(prefix) {
		n = copy(b, prefix[at:])
	}
	Stamp(b[n:], StreamOf(p.Number, server), at+n-len(p.prefix(server)))
}

// check returns how many bytes of b are what an end sends from offset at on.
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

// String describes the plan for people.
func (p *StreamPlan) String() string {
	first := [...]string{"the client speaks first", "the server speaks first", "nobody speaks"}[p.First]
	head := ""
	if p.Prefix != "" {
		head = fmt.Sprintf("%d bytes of prefix, ", len(p.Prefix))
	}
	return fmt.Sprintf("conversation %d: %s.\n  client: %s%v\n  server: %v", p.Number, first, head, &p.Client, &p.Server)
}

// String describes what an end does.
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
