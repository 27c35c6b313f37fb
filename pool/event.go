package pool

import (
	"fmt"
	"slices"
	"strings"
)

// Level is the severity of an event, with the number of syslog (RFC 5424 6.2.1).
type Level uint8

// The levels that events have.
const (
	Emerg   Level = 0
	Alert   Level = 1
	Warning Level = 4
	Notice  Level = 5
)

// Event is a change of state that the caller logs. Text is exactly the text that HAProxy 2.6
// writes, including the full stop, so that existing searches in logs still work.
type Event struct {
	Level  Level
	Text   string
	Server *Server // nil: the event concerns the backend
}

// eventLog is the receiver of the events of a backend for one generation of the configuration.
type eventLog struct {
	of *Lease
	to func(Event)
}

// logTo makes to the receiver of the events of the backend, as long as no newer generation has the
// backend.
func (b *Backend) logTo(to func(Event), of *Lease) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.logs = append(b.logs, eventLog{of, to})
}

// endLog removes the receiver of a generation. It is not called any more when endLog has returned.
func (b *Backend) endLog(of *Lease) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.logs = slices.DeleteFunc(b.logs, func(l eventLog) bool { return l.of == of })
}

// log sends an event to the newest receiver. The caller holds mu.
func (b *Backend) log(e Event) {
	if n := len(b.logs); n > 0 {
		b.logs[n-1].to(e)
	}
}

// turned returns the event for a server for which checks have found the new state is.
func turned(s *Server, is Status, r Result) Event {
	switch is {
	case Down:
		return isDown(s, r)
	case NoLB:
		return online(s, "stopping", r)
	}
	return online(s, "UP", r)
}

func online(s *Server, is string, r Result) Event {
	b := s.backend
	return Event{Notice, fmt.Sprintf("%s %s is %s%s. %d active and %d backup servers online.%s 0 sessions requeued, 0 total in queue.",
		kind(s), s, is, reason(r), b.Active(), b.Backup(), onBackup(b)), s}
}

func isDown(s *Server, r Result) Event {
	b := s.backend
	return Event{Alert, fmt.Sprintf("%s %s is DOWN%s. %d active and %d backup servers left.%s %d sessions active, 0 requeued, 0 remaining in queue.",
		kind(s), s, reason(r), b.Active(), b.Backup(), onBackup(b), s.Stat.Cur()), s}
}

func noServer(b *Backend) Event {
	kind := "backend"
	if b.Conf().Listen {
		kind = "proxy"
	}
	return Event{Emerg, fmt.Sprintf("%s %s has no server available!", kind, b.Name), nil}
}

// notDone returns the event for a check that this process could not make, because it lacked
// resources. Its text has the form of HAProxy's `option log-health-checks`.
func notDone(s *Server, r Result) Event {
	c := s.Conf()
	step, of, status := s.Health(), c.Rise, Down
	if s.Running() {
		step, of, status = s.Health()-c.Rise+1, c.Fall, Up
	}
	text := fmt.Sprintf("Health check for %s %s failed%s, status: %d/%d %s.", strings.ToLower(kind(s)), s, reason(r), step, of, status)
	return Event{Warning, text, s}
}

// kind returns HAProxy's name for the kind of server.
func kind(s *Server) string {
	if s.Conf().Backup {
		return "Backup Server"
	}
	return "Server"
}

// reason returns the part of an event that describes the result of the check.
func reason(r Result) string {
	var code, info string
	if r.Code > 0 {
		code = fmt.Sprintf(", code: %d", r.Code)
	}
	if r.Info != "" {
		info = fmt.Sprintf(`, info: "%s"`, printable(r.Info))
	}
	return fmt.Sprintf(", reason: %s%s%s, check duration: %dms", r.Status.Text(), code, info, r.Duration.Milliseconds())
}

func onBackup(b *Backend) string {
	if b.Active() == 0 && b.Backup() > 0 {
		return " Running on backup."
	}
	return ""
}
