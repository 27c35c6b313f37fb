package actor

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestWebPlans: a seed gives one plan. Plans contain everything that they can contain.
func TestWebPlans(t *testing.T) {
	shape := webShape()
	var all strings.Builder
	for i := range 2000 {
		one := DrawWeb(rand.New(rand.NewPCG(*seed, uint64(i))), &shape, i+1).String()
		if two := DrawWeb(rand.New(rand.NewPCG(*seed, uint64(i))), &shape, i+1).String(); one != two {
			t.Fatalf("one seed, two plans:\n%s%s", one, two)
		}
		all.WriteString(one)
	}
	for _, part := range []string{
		`Fault:"FIN"`, `Fault:"reset"`, `Fault:"silence"`, `Fault:"close"`, `Fault:"close while it reads"`, `Fault:"reset while it reads"`,
		`Fault:"bytes behind the answer"`, `Fault:"malformed"`, `Fault:"close of a kept connection"`,
		"HalfEnd:true", "Behind:", "Malformed:", "Odd:", "Eager:true", "Said100:true", "Blind:true", "Acked:true", "Late:true", "Apart:true",
		`Method:"CONNECT"`, "Status:101", "Old:true", "Keep:true", "Trailer:true", "Waits:true", "Interim:3",
	} {
		if !strings.Contains(all.String(), part) {
			t.Errorf("-actor.seed %d: no plan contains %s", *seed, part)
		}
	}
}

// TestWebMayFail: a plan says which requests may remain without their answers.
func TestWebMayFail(t *testing.T) {
	for name, c := range map[string]struct {
		change func(p *WebPlan)
		want   string // of three requests: 1 for those that may fail
	}{
		"fair":                    {func(*WebPlan) {}, "000"},
		"close before the answer": {func(p *WebPlan) { p.Requests[1].Answer.Fault = ServerCloses }, "011"},
		"close behind the answer": {func(p *WebPlan) { p.Requests[0].Answer.Fault, p.Requests[0].Answer.At = ServerCloses, 1e6 }, "000"},
		"POST behind it": {func(p *WebPlan) {
			p.Requests[0].Answer.Fault, p.Requests[0].Answer.At = ServerFIN, 1e6
			p.Requests[1].Method = "POST"
		}, "011"},
		"it goes to another server": {func(p *WebPlan) {
			p.Requests[0].Answer.Fault, p.Requests[0].Answer.At = ServerFIN, 1e6
			p.Requests[1].Method, p.Requests[1].Expect.Backend = "POST", "b"
		}, "000"},
		"bytes behind the answer": {func(p *WebPlan) { p.Requests[0].Answer.Fault = ServerAdds }, "000"},
		"kept connection closed":  {func(p *WebPlan) { p.Requests[1].Answer.Fault = ServerDies }, "000"},
		"POST on it":              {func(p *WebPlan) { p.Requests[1].Answer.Fault, p.Requests[1].Method = ServerDies, "POST" }, "011"},
		"early answer":            {func(p *WebPlan) { early(&p.Requests[1]) }, "000"},
		"early answer and close": {func(p *WebPlan) {
			early(&p.Requests[1])
			p.Requests[1].Answer.Fault, p.Requests[1].Answer.At = ServerCloses, 1e6
		}, "011"},
		"it has arrived": {func(p *WebPlan) {
			early(&p.Requests[1])
			a := &p.Requests[1].Answer
			a.Fault, a.At, a.Acked = ServerCloses, 1e6, true
		}, "001"},
		"refused":                {func(p *WebPlan) { p.Requests[1].Expect.Answer = 403 }, "000"},
		"refused, with a body":   {func(p *WebPlan) { early(&p.Requests[1]); p.Requests[1].Expect.Answer = 403 }, "001"},
		"malformed":              {func(p *WebPlan) { p.Requests[1].Malformed = "no host" }, "001"},
		"Connection: close":      {func(p *WebPlan) { p.Requests[0].Close = true }, "011"},
		"reset":                  {func(p *WebPlan) { p.Fault, p.FaultIn = ClientResets, 1 }, "111"},
		"reset behind an answer": {func(p *WebPlan) { p.Fault, p.FaultIn, p.Requests[1].Waits = ClientResets, 1, true }, "011"},
		"FIN":                    {func(p *WebPlan) { p.Fault, p.FaultIn, p.FaultAt = ClientFIN, 1, 9 }, "011"},
	} {
		p := &WebPlan{Number: 1, shape: &WebShape{Repeats: 1 << 10}}
		for i := range 3 {
			q := WebRequest{Number: 10 + i, Method: "GET", Host: "a"}
			q.Answer = WebAnswer{Status: 200, Body: 5, Framing: ByLength, Early: -1}
			p.Requests = append(p.Requests, q)
		}
		c.change(p)
		got := ""
		for i := range 3 {
			got += string('0' + rune(boolInt(p.MayFail(i))))
		}
		if got != c.want {
			t.Errorf("%s: %s; want %s\n%v", name, got, c.want, p)
		}
	}
}

// early gives a request a body that is read behind its answer.
func early(q *WebRequest) {
	q.Method, q.Framing, q.Body, q.Answer.Early = "PUT", ByLength, 100, 10
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
