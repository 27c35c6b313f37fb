//go:build !simulation

package engine

import (
	"fmt"
	"strings"
	"time"
)

// script is what one end of a connection does, step after step. It is a value:
// a regression test shows it in one line, and a random test prints it. These
// are a server that answers before it has read the request, and dies after the
// interim answer, and its client:
//
//	s := serveScripts(t, overTCP, script{say("HTTP/1.1 103 Early Hints\r\n\r\n"), rst})
//	got := b.follow("f", say(head("a")), takeAll).got()
//
// A peer reads only where a step says so. When its script is over it closes,
// which is a reset if bytes are unread.
type script []step

// step is one step of a script.
type step struct {
	verb   verb
	text   string        // of say and hear; the condition's name
	n      int           // bytes of take and pieces
	span   time.Duration // of rest
	holds  func() bool   // of until
	beside script        // of meanwhile
}

type verb string

// say writes a text.
func say(text string) step { return step{verb: "say", text: text} }

// pieces limits each following write to n bytes.
func pieces(n int) step { return step{verb: "pieces", n: n} }

// hear reads until a text has come, after the text of the hear before.
func hear(text string) step { return step{verb: "hear", text: text} }

// take reads n bytes.
func take(n int) step { return step{verb: "take", n: n} }

// rest pauses for span. The pause is input of a test, not a wait for an event.
func rest(span time.Duration) step { return step{verb: "rest", span: span} }

// until waits for a condition, possibly one of another peer.
func until(what string, holds func() bool) step {
	return step{verb: "until", text: what, holds: holds}
}

// meanwhile starts other steps, which run at the same time as those that follow.
func meanwhile(steps ...step) step { return step{verb: "meanwhile", beside: steps} }

var (
	hearHead = hear("\r\n\r\n")
	// takeAll reads until the other side ends the connection or resets it.
	takeAll = step{verb: "takeAll"}
	// delivered waits until the other side's kernel has all bytes written.
	delivered = step{verb: "delivered"}
	// urgent sends a byte of urgent data.
	urgent = step{verb: "urgent"}
	// fin sends FIN.
	fin = step{verb: "fin"}
	// shut closes the socket, which sends RST if bytes are unread.
	shut = step{verb: "shut"}
	// rst resets the connection. Bytes that are not delivered yet are lost.
	rst = step{verb: "rst"}
)

// String returns the step as Go source.
func (s step) String() string {
	switch s.verb {
	case "say", "hear":
		return fmt.Sprintf("%s(%s)", s.verb, shortQuote(s.text))
	case "until":
		return fmt.Sprintf("until(%s)", s.text)
	case "take", "pieces":
		return fmt.Sprintf("%s(%d)", s.verb, s.n)
	case "rest":
		return fmt.Sprintf("rest(%v)", s.span)
	case "meanwhile":
		return fmt.Sprintf("meanwhile(%s)", s.beside)
	}
	return string(s.verb)
}

func (s script) String() string {
	var all []string
	for _, one := range s {
		all = append(all, one.String())
	}
	return strings.Join(all, ", ")
}

// shortQuote quotes a text; of a long text only the start and the end.
func shortQuote(text string) string {
	const most = 160
	if len(text) <= most {
		return fmt.Sprintf("%q", text)
	}
	return fmt.Sprintf("%q...%d bytes...%q", text[:most/2], len(text)-most, text[len(text)-most/2:])
}
