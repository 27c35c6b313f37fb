package actor

import (
	"cmp"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// WebPlan is one connection of a client in mode http: its requests, their answers, and how both
// ends behave. It is a value. Everything that the ends do follows from it and from the seed.
type WebPlan struct {
	Number   int          // of the conversation, from 1
	Requests []WebRequest // 1 to 8
	Piece    int          // most bytes of one write of the client; 0: a message is one write
	Pause    time.Duration
	Gulp     int           // most bytes of one read of the client; 0: as many as there are
	Rest     time.Duration // before a read of the client
	HalfEnd  bool          // the client sends FIN right behind its last request, and reads on
	Behind   string        // bytes that the client sends behind its last request
	Fault    ClientFault
	FaultIn  int // index of the request or of the answer in which the client's fault happens
	FaultAt  int // bytes of it that are sent or read before

	shape *WebShape
}

// ClientFault is how a client disturbs a conversation.
type ClientFault string

// The faults of a client. The first three happen while it sends, the last two while it reads.
const (
	Polite       ClientFault = ""
	ClientFIN    ClientFault = "FIN"
	ClientResets ClientFault = "reset"
	ClientStops  ClientFault = "silence"
	ClientLeaves ClientFault = "close while it reads"
	ClientDrops  ClientFault = "reset while it reads"
)

// sending reports whether the fault happens while the client sends.
func (f ClientFault) sending() bool { return f == ClientFIN || f == ClientResets || f == ClientStops }

// reading reports whether the fault happens while the client reads.
func (f ClientFault) reading() bool { return f == ClientLeaves || f == ClientDrops }

// WebRequest is one request and its answer.
type WebRequest struct {
	Number    int // the last part of its path; ten times that of the conversation, and its index
	Method    string
	Host      string // the Host field
	Path      string // in front of "/" and the number
	Old       bool   // HTTP/1.0
	Close     bool   // Connection: close
	Keep      bool   // Connection: keep-alive
	Fields    []string
	Fill      int    // bytes of a field that makes the head large
	Cookie    string // a line of the Cookie field; empty: none
	Body      int    // bytes
	Framing   Framing
	Trailer   bool          // behind the chunks
	Continue  bool          // Expect: 100-continue
	Halts     bool          // the client sends the rest of the body when it has the whole answer
	Upgrade   bool          // to a tunnel
	Eager     bool          // the client sends into the tunnel before it stands
	Up        int           // bytes that the client sends through the tunnel
	Odd       string        // a key of oddRequests: unusual, but valid
	Malformed string        // a key of badRequests; empty: the request is valid
	Waits     bool          // the client sends it when it has the answer before
	Wait      time.Duration // before it is sent
	Expect    WebExpect
	Answer    WebAnswer
}

// Framing says where a body ends.
type Framing string

// The framings. ByEnd is possible in answers only.
const (
	NoBody   Framing = ""
	ByLength Framing = "length"
	ByChunks Framing = "chunks"
	ByEnd    Framing = "the connection's end"
)

// WebExpect is what the configuration of the balancer does with a request and its answer. The
// zero value passes both on unchanged, to any server.
type WebExpect struct {
	Backend  string // of the server that gets the request; empty: any
	Server   string // the server that a cookie names; empty: any
	Frees    bool   // the connection to the server is not kept behind the answer
	Path     string // at the server, in front of "/" and the number; empty: as it was sent
	Method   string // at the server; empty: as it was sent
	Query    string // at the server, with its question mark
	Host     string // at the server; empty: as it was sent
	Has      []string
	Lacks    []string // names of fields that the server must not get
	Answer   int      // status of the answer that a rule gives; 0: a server answers
	Reaches  bool     // with Answer: a server gets the request, and the rule replaces its answer
	Text     string   // with Answer: its body; empty: any
	Location string   // with Answer: the field Location; empty: any
	Ends     bool     // the client's connection ends behind the answer
	Status   int      // of the server's answer at the client; 0: as the server has sent it
	Gains    []string // field lines that the client must get
	Loses    []string // names of fields that the client must not get
	Cookie   string   // name of the cookie that the answer must set to the server's name; empty: none
	Own      []int    // statuses of answers that the balancer may give, for a reason outside of the plan
	Instead  []int    // pairs of statuses: of an answer of the balancer, and of the one that errorloc puts in its place
}

// WebAnswer is the behaviour of the server for a request.
type WebAnswer struct {
	Status  int
	Body    int // bytes; in a tunnel: those that the server sends
	Framing Framing
	Old     bool     // HTTP/1.0
	Close   bool     // Connection: close
	Fields  []string // further lines of its head
	Fill    int      // bytes of a field that makes the head large
	Trailer bool
	Odd     string        // a key of oddAnswers: unusual, but valid
	Said100 bool          // 100 Continue is sent before the body is read
	Interim int           // number of other interim answers before the final one
	Blind   bool          // the answer comes before the head of the request is complete
	Early   int           // bytes of the request's body that are read before the answer; -1: all
	Wait    time.Duration // before the answer
	Piece   int           // most bytes of one write; 0: all is one write
	Pause   time.Duration // between two writes
	Gulp    int           // most bytes of one read; 0: as many as there are
	Fault   ServerFault
	At      int    // bytes, with the interim answers, that are sent before the fault
	Acked   bool   // the fault waits until the balancer has all these bytes
	Apart   bool   // with ServerAdds: a pause comes before the added bytes
	Bad     string // with ServerErrs: a key of badAnswers or badChunks
}

// ServerFault is how a server disturbs an exchange.
type ServerFault string

// The faults of a server.
const (
	Fair         ServerFault = ""
	ServerCloses ServerFault = "close"
	ServerFIN    ServerFault = "FIN" // and it reads on
	ServerResets ServerFault = "reset"
	ServerStops  ServerFault = "silence"
	ServerAdds   ServerFault = "bytes behind the answer"
	ServerErrs   ServerFault = "malformed"
	// ServerDies closes a kept connection as soon as a request comes on it. The same request is
	// answered on a new connection.
	ServerDies ServerFault = "close of a kept connection"
)

// String returns the plan in several lines, without the fields that are zero.
func (p WebPlan) String() string {
	var b strings.Builder
	b.WriteString("conversation" + planFields(reflect.ValueOf(p)) + "\n")
	for _, q := range p.Requests {
		fmt.Fprintf(&b, "  request%s\n", planFields(reflect.ValueOf(q)))
	}
	return b.String()
}

// planFields returns the fields of a struct that are not zero: " Name:value Name:value".
func planFields(v reflect.Value) string {
	var b strings.Builder
	for i := range v.NumField() {
		name, f := v.Type().Field(i).Name, v.Field(i)
		switch {
		case name == "Requests" || name == "shape" || f.IsZero():
		case f.Kind() == reflect.Struct:
			fmt.Fprintf(&b, " %s:{%s}", name, strings.TrimPrefix(planFields(f), " "))
		case f.Kind() == reflect.String, f.Type() == reflect.TypeFor[[]string]():
			fmt.Fprintf(&b, " %s:%q", name, f)
		default:
			fmt.Fprintf(&b, " %s:%v", name, f)
		}
	}
	return b.String()
}

// last reports whether the client's connection ends with the request, because the request says so.
func (q *WebRequest) last() bool { return q.Close || q.Old && !q.Keep }

// bodiless reports whether the answer of the server has no body.
func (q *WebRequest) bodiless() bool {
	s := q.Answer.Status
	return q.Method == "HEAD" || s < 200 || s == 204 || s == 304
}

// tunnels reports whether the answer of the server turns the connections into a tunnel.
func (q *WebRequest) tunnels() bool {
	return q.Answer.Status == 101 || q.Method == "CONNECT" && q.Answer.Status < 300
}

// untilEnd reports whether the body of the answer ends with the connection.
func (q *WebRequest) untilEnd() bool { return q.Answer.Framing == ByEnd && !q.bodiless() }

// idempotent reports whether the balancer may send the request twice (RFC 9110 9.2.2).
func (q *WebRequest) idempotent() bool {
	switch cmp.Or(q.Expect.Method, q.Method) {
	case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE":
		return true
	}
	return false
}

// stream returns the stamped bytes of a body or of one direction of a tunnel.
func (q *WebRequest) stream(k streamKind) Stream { return Stream(4*q.Number + int(k)) }

type streamKind int

const (
	askedBody streamKind = iota
	givenBody
	tunnelUp
	tunnelDown
)

func (k streamKind) String() string {
	return [...]string{"request", "answer", "client in the tunnel", "server in the tunnel"}[k]
}

// SpoilsHead reports whether the head of the server's answer is malformed.
func (a *WebAnswer) SpoilsHead() bool {
	bad := entry(badAnswers, a.Bad)
	return bad != nil && bad.head != ""
}

// Request returns the request with a number, or nil.
func (p *WebPlan) Request(number int) *WebRequest {
	if i := p.place(number); i >= 0 {
		return &p.Requests[i]
	}
	return nil
}

// place returns the place of the request with a number in its conversation, or -1.
func (p *WebPlan) place(number int) int {
	for i := range p.Requests {
		if p.Requests[i].Number == number {
			return i
		}
	}
	return -1
}

// adds reports whether a server sends bytes behind its answer to the request.
func (q *WebRequest) adds() bool { return q.Answer.Fault == ServerAdds && !q.ruled() }

// endsBehind reports whether a server ends its connection behind the whole answer, and waits until
// the balancer's kernel has got FIN. The next request of the client comes later still, so it must
// not be lost on that connection.
func (q *WebRequest) endsBehind() bool {
	a := &q.Answer
	ends := a.Fault == ServerCloses || a.Fault == ServerFIN
	return ends && a.Acked && a.Early < 0 && !q.ruled() && !q.tunnels() && !q.untilEnd() && a.At >= len(q.appendAnswer(nil).bytes)
}

// trails reports whether a server adds bytes or FIN behind its answer, for which the client waits.
func (q *WebRequest) trails() bool { return q.adds() || q.endsBehind() }
