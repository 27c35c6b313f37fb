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
	Number   int           // number of the conversation, from 1
	Requests []WebRequest  // 1 to 8 requests
	Piece    int           // bytes of one write of the client (more in long messages, see writePieces); 0: a message is one write
	Pause    time.Duration // between two of the first writes of a message of the client
	Gulp     int           // maximum bytes of each of the first 60 reads of the client; 0: no limit
	Rest     time.Duration // pause before each of the first 6 reads of the client
	HalfEnd  bool          // the client sends FIN right after its last request, and continues to read
	Behind   string        // bytes that the client sends after its last request; empty: none
	Fault    ClientFault   // misbehaviour of the client; empty: none
	FaultIn  int           // index of the request or of the answer in which the client's fault happens
	FaultAt  int           // bytes of this request or answer that the client sends or reads before its fault

	shape *WebShape
}

// ClientFault is a misbehaviour of a client within a request or an answer.
type ClientFault string

// The faults of a client. FIN, reset and silence happen while it sends a request, the others
// while it reads an answer. Polite: no fault.
const (
	Polite       ClientFault = ""                     // no fault
	ClientFIN    ClientFault = "FIN"                  // sends FIN within a request
	ClientResets ClientFault = "reset"                // sends RST within a request
	ClientStops  ClientFault = "silence"              // stops sending within a request, without FIN
	ClientLeaves ClientFault = "close while it reads" // closes its socket within an answer
	ClientDrops  ClientFault = "reset while it reads" // sends RST within an answer
	ClientRests  ClientFault = "pause while it reads" // reads nothing for longer than all timeouts, then goes on
)

// sending reports whether the fault happens while the client sends.
func (f ClientFault) sending() bool { return f == ClientFIN || f == ClientResets || f == ClientStops }

// reading reports whether the fault happens while the client reads.
func (f ClientFault) reading() bool { return f == ClientLeaves || f == ClientDrops || f == ClientRests }

// WebRequest is one request and its answer.
type WebRequest struct {
	Number    int           // identifies the request, as the last part of its path: 10 times the conversation's number plus its index
	Method    string        // method of the request line
	Host      string        // value of the Host field
	Path      string        // path before "/" and the number
	Old       bool          // HTTP/1.0
	Close     bool          // Connection: close
	Keep      bool          // Connection: keep-alive
	Fields    []string      // further lines of its head
	Fill      int           // bytes of an additional field X-Fill; 0: no such field
	Cookie    string        // value of the Cookie field; empty: no such field
	Body      int           // bytes of the body, without framing
	Framing   Framing       // how the end of the body is marked
	Trailer   bool          // a trailer follows the chunks
	Continue  bool          // Expect: 100-continue
	Halts     bool          // the client sends the body up to Answer.Early, and the rest after it has read the whole answer
	Upgrade   bool          // the request asks for a tunnel
	Eager     bool          // the client sends its tunnel bytes before the tunnel is established
	Up        int           // bytes that the client sends through the tunnel
	Odd       string        // name of an entry of oddRequests: an unusual, but valid head; empty: the usual head
	Malformed string        // name of an entry of badRequests; empty: the request is valid
	Waits     bool          // the client sends the request only after the answer to the request before
	Wait      time.Duration // pause before the request is sent
	Urgent    bool          // the client sends an urgent byte before the request, see urge
	Expect    WebExpect     // effects of the configuration
	Answer    WebAnswer     // behaviour of the server
}

// Framing is the way in which the end of a body is marked.
type Framing string

// The framings. ByEnd is possible in answers only.
const (
	NoBody   Framing = ""                     // no body
	ByLength Framing = "length"               // Content-Length
	ByChunks Framing = "chunks"               // Transfer-Encoding: chunked
	ByEnd    Framing = "the connection's end" // the body ends with the connection
)

// WebExpect contains the effects of the balancer's configuration on a request and its answer. The
// zero value: both are passed on unchanged, to any server.
type WebExpect struct {
	Backend  string   // backend of the server that gets the request; empty: any
	Server   string   // server that the request's cookie names; empty: any
	Frees    bool     // the connection to the server is not kept after the answer
	Path     string   // path at the server, before "/" and the number; empty: as the client sent it
	Method   string   // value at the server; empty: as the client sent it
	Query    string   // query at the server, with its question mark; empty: none
	Host     string   // value at the server; empty: as the client sent it
	Has      []string // field lines that the server must get
	Lacks    []string // names of fields that the server must not get
	Answer   int      // status of the answer that a rule gives; 0: a server answers
	Reaches  bool     // with Answer: a server gets the request, and the rule replaces its answer
	Text     string   // with Answer: body of that answer; empty: any
	Location string   // with Answer: value of its field Location; empty: any
	Ends     bool     // the client's connection ends after the answer
	Status   int      // status that the client gets for the server's answer; 0: as the server has sent it
	Gains    []string // field lines that the client must get
	Loses    []string // names of fields that the client must not get
	Cookie   string   // name of the cookie that the answer must set to the server's name; empty: none
	Own      []int    // statuses of answers of the balancer itself whose cause is not in the plan, such as a server that is down
	Instead  []int    // pairs of statuses: that of an answer of the balancer itself, then that of the errorloc redirection that replaces it
}

// WebAnswer is the behaviour of the server for a request.
type WebAnswer struct {
	Status  int           // status of the final answer
	Body    int           // bytes of the body, without framing; in a tunnel: number of bytes that the server sends
	Framing Framing       // how the end of the body is marked
	Old     bool          // HTTP/1.0
	Close   bool          // Connection: close
	Fields  []string      // further lines of its head
	Fill    int           // bytes of an additional field X-Fill; 0: no such field
	Trailer bool          // a trailer follows the chunks
	Odd     string        // name of an entry of oddAnswers: an unusual, but valid head; empty: the usual head
	Said100 bool          // the server sends 100 Continue before it reads the body
	Interim int           // number of other interim answers before the final one
	Blind   bool          // the server answers after the request line, before the head is complete
	Early   int           // bytes of the request's body that the server reads before it answers; -1: all
	Wait    time.Duration // pause before the answer
	Urgent  bool          // the server sends an urgent byte before the answer, see urge
	Piece   int           // bytes of one write (more in long answers, see writePieces); 0: the answer is one write
	Pause   time.Duration // pause between two of the first writes
	Gulp    int           // maximum bytes of each of the first 60 reads of the server; 0: no limit
	Fault   ServerFault   // misbehaviour of the server; empty: none
	At      int           // bytes of the answer, with interim answers, that are sent before the fault
	Acked   bool          // the fault waits until the balancer's kernel has acknowledged these bytes
	Late    bool          // ServerCloses, ServerFIN, ServerResets: the connection ends when the client sends its next request
	Apart   bool          // with ServerAdds: a pause comes before the added bytes
	Bad     string        // with ServerErrs: name of an entry of badAnswers
}

// ServerFault is a misbehaviour of a server within an answer or after it.
type ServerFault string

// The faults of a server. Fair: no fault.
const (
	Fair         ServerFault = ""                        // no fault
	ServerCloses ServerFault = "close"                   // closes its socket within the answer or after it
	ServerFIN    ServerFault = "FIN"                     // sends FIN and continues to read
	ServerResets ServerFault = "reset"                   // sends RST within the answer or after it
	ServerStops  ServerFault = "silence"                 // stops sending within the answer or after it, without FIN
	ServerAdds   ServerFault = "bytes behind the answer" // sends further bytes after the answer
	ServerErrs   ServerFault = "malformed"               // sends a malformed answer
	// ServerDies: the server closes a kept connection when a request comes on it. If the balancer
	// sends the request again on a new connection, the server answers it.
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

// last reports whether the request itself ends the client's connection: by Connection: close, or as
// HTTP/1.0 without keep-alive.
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

// stream returns the stream (see Stamp) of a body or of one direction of a tunnel.
func (q *WebRequest) stream(k streamKind) Stream { return Stream(4*q.Number + int(k)) }

type streamKind int

const (
	askedBody streamKind = iota
	givenBody
	tunnelUp
	tunnelDown
)

// String returns the name of the stream, for messages.
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

// place returns the index of the request with a number in its conversation; -1: it belongs to
// another one.
func (p *WebPlan) place(number int) int {
	for i := range p.Requests {
		if p.Requests[i].Number == number {
			return i
		}
	}
	return -1
}

// adds reports whether a server sends bytes after its answer to the request.
func (q *WebRequest) adds() bool { return q.Answer.Fault == ServerAdds && !q.ruled() }

// endsBehind reports whether a server ends its connection after the whole answer, and waits until
// the balancer's kernel has received FIN. The client sends its next request later still, so the
// balancer must not lose that request on this connection.
func (q *WebRequest) endsBehind() bool {
	a := &q.Answer
	ends := a.Fault == ServerCloses || a.Fault == ServerFIN
	return ends && a.Acked && a.Early < 0 && !q.ruled() && !q.tunnels() && !q.untilEnd() && a.At >= len(q.appendAnswer(nil).bytes)
}

// trails reports whether a server sends bytes or FIN after its answer. The client waits for them
// before it sends its next request.
func (q *WebRequest) trails() bool { return q.adds() || q.endsBehind() }
