package actor

import (
	"fmt"
	"reflect"
	"slices"
)

// The fields of plans that can be removed one by one. Removal sets a field to its zero value.
var (
	clientDetails  = []string{"Fault", "Piece", "Pause", "Gulp", "Rest", "HalfEnd", "Behind"}
	requestDetails = []string{"Malformed", "Odd", "Old", "Close", "Keep", "Body", "Trailer", "Fill", "Continue", "Eager", "Up", "Wait"}
	answerDetails  = []string{"Fault", "Odd", "Old", "Close", "Body", "Trailer", "Fill", "Said100", "Interim", "Blind",
		"Wait", "Piece", "Pause", "Gulp", "Acked", "Late", "Apart"}
)

// Keep removes parts of a plan: requests, and unusual properties of requests, answers and the
// client. It calls keeps with the name of each part that the plan has, for example "request 31",
// "request 31 Body", "answer 31 Fault" or "client 3 Gulp". It removes the parts for which keeps
// returns false. The first request stays if all requests would be removed.
func (p *WebPlan) Keep(keeps func(part string) bool) {
	keepDetails(p, fmt.Sprint("client ", p.Number), clientDetails, keeps)
	p.keepRequests(keeps)
	for i := range p.Requests {
		q := &p.Requests[i]
		answer := fmt.Sprint("answer ", q.Number)
		keepDetails(q, fmt.Sprint("request ", q.Number), requestDetails, keeps)
		keepDetails(&q.Answer, answer, answerDetails, keeps)
		if q.Answer.Early >= 0 && !keeps(answer+" Early") {
			q.Answer.Early, q.Answer.Blind = -1, false
		}
		if q.Answer.Fault != ServerErrs {
			q.Answer.Bad = ""
		}
	}
	p.settle()
}

// keepRequests removes requests. If the request of the client's fault is removed, the fault is
// removed, too.
func (p *WebPlan) keepRequests(keeps func(part string) bool) {
	faulty := p.Requests[p.FaultIn].Number
	rest := slices.DeleteFunc(slices.Clone(p.Requests), func(q WebRequest) bool { return !keeps(fmt.Sprint("request ", q.Number)) })
	if len(rest) == 0 {
		rest = p.Requests[:1]
	}
	p.Requests = rest
	p.FaultIn = slices.IndexFunc(rest, func(q WebRequest) bool { return q.Number == faulty })
	if p.FaultIn < 0 {
		p.FaultIn, p.Fault = 0, Polite
	}
}

// keepDetails sets fields of the struct at to their zero value, where keeps returns false.
func keepDetails(at any, of string, fields []string, keeps func(part string) bool) {
	v := reflect.ValueOf(at).Elem()
	for _, name := range fields {
		if f := v.FieldByName(name); !f.IsZero() && !keeps(of+" "+name) {
			f.SetZero()
		}
	}
}
