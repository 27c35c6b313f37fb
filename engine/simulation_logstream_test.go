//go:build simulation

package engine

import (
	"fmt"
	"slices"

	"sluice/engine/actor"
)

// checkStreams compares the log lines of a frontend in mode tcp with the records of its
// conversations.
func (g *simLog) checkStreams(outcomes []actor.Outcome) {
	byTalk := map[int]*actor.Outcome{}
	for i := range outcomes {
		if n := outcomes[i].Plan.Number; n <= firstGreeting {
			byTalk[n] = &outcomes[i]
		}
	}
	for _, t := range g.talks {
		if t.front != g.front || t.bind.address.IsUnix() {
			continue // clients of UNIX sockets have no address, so their lines cannot be found
		}
		if wrong := g.judgeStream(t, byTalk[t.number], g.byTalk[t.number]); wrong != "" {
			g.failf("conversation %d : %s", t.number, wrong)
		}
	}
}

// judgeStream returns a description of the first error in the lines of a conversation; empty: none.
// o is nil if the server sends the first byte.
func (g *simLog) judgeStream(t *simTalk, o *actor.Outcome, lines []*simLine) string {
	switch {
	case t.rejected() && len(lines) > 0:
		return "it is rejected at once and logged: " + lines[0].text
	case t.rejected() || o == nil:
		return ""
	case len(lines) > 1 && !g.retried(o):
		return fmt.Sprintf("it has %d log lines: %q and %q", len(lines), lines[0].text, lines[1].text)
	case len(lines) == 0:
		return g.missingStream(o)
	}
	l := lines[len(lines)-1]
	if wrong := g.checkStamp(l, t, nil); wrong != "" {
		return fmt.Sprintf("the stamp of its line is %s: %s", l.stamp, wrong)
	}
	if wrong := g.streamBytes(o, l); wrong != "" {
		return fmt.Sprintf("%s: %s; client: %v; server: %v", wrong, l.text, o.Client, o.Server)
	}
	if !slices.Contains(streamTerms, l.term) || g.isWhole(o) && l.term != "--" {
		return fmt.Sprintf("its termination state does not fit: %s; client: %v; server: %v", l.text, o.Client, o.Server)
	}
	return ""
}

// retried reports whether the client may have made more than one connection, because the first one
// timed out at a full accept queue.
func (g *simLog) retried(o *actor.Outcome) bool { return o.Client == nil || o.Client.Dial != nil }

// missingStream returns the reason why a conversation must have a line; empty: it need not have
// one.
func (g *simLog) missingStream(o *actor.Outcome) string {
	q := g.front.quiet
	if o.Client == nil || o.Server == nil || q.normal || q.null && o.Client.Sent == 0 {
		return ""
	}
	return fmt.Sprintf("it has no log line; client: %v; server: %v", o.Client, o.Server)
}

// streamBytes returns a description of wrong byte counts in a line; empty: they are right.
func (g *simLog) streamBytes(o *actor.Outcome, l *simLine) string {
	if o.Client == nil || o.Server == nil {
		return ""
	}
	whole := g.isWhole(o)
	up, down := int64(o.Server.Received), int64(o.Client.Received)
	switch {
	case whole && l.bytes != down:
		return fmt.Sprintf("the client got %d bytes", down)
	case whole && l.uploaded >= 0 && l.uploaded != up:
		return fmt.Sprintf("the server got %d bytes", up)
	case l.bytes < down || l.bytes > int64(o.Server.Sent):
		return fmt.Sprintf("the client got %d bytes of %d", down, o.Server.Sent)
	case l.uploaded >= 0 && (l.uploaded < up || l.uploaded > int64(o.Client.Sent)):
		return fmt.Sprintf("the server got %d bytes of %d", up, o.Client.Sent)
	}
	return ""
}

// isWhole reports whether both ends must have sent and received all bytes of the conversation.
func (g *simLog) isWhole(o *actor.Outcome) bool {
	e := g.excused(o.Plan)
	return o.Plan.Polite() && (e == 0 || e&(actor.Cut|actor.Broken) == 0 && o.Server != nil)
}

// streamTerms are the possible termination states of mode tcp.
var streamTerms = []string{"--", "CD", "SD", "cD", "sD", "SC", "sC", "CC", "cC", "RC", "PR", "cR", "CR", "RR", "KD"}
