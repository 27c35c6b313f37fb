package actor

import "fmt"

var readingDetails = []string{"Wait", "Most", "Pause"}

// Keep takes parts out of a plan: what is unusual about its two ends. It asks keeps with the name of
// each part that the plan has, for example "client 3 End" or "server 3 bytes", and takes out those for
// which it returns false.
func (p *StreamPlan) Keep(keeps func(part string) bool) {
	for _, server := range []bool{false, true} {
		p.keepSide(server, keeps)
	}
	p.Client.limitAfter(p.Total(true))
	p.Server.limitAfter(p.Total(false))
}

func (p *StreamPlan) keepSide(server bool, keeps func(part string) bool) {
	s, name := p.Side(server), fmt.Sprint("client ", p.Number)
	if server {
		name = fmt.Sprint("server ", p.Number)
	}
	least := 0
	if server == (p.First == ServerFirst) && p.First != NobodyFirst && p.Prefix == "" {
		least = leastNamed
	}
	keepDetails(s, name, []string{"Urgent", "End"}, keeps)
	keepDetails(&s.Read, name+" Read", readingDetails, keeps)
	if s.End != Deaf {
		s.Read.Stop = 0
	}
	total := p.Total(server) - len(p.prefix(server))
	if total < least && s.End.Polite() {
		s.Pieces, s.Urgent, total = []Piece{{Size: least}}, 0, least // an impolite end may have left earlier
	}
	if total > least && !keeps(name+" bytes") {
		s.Pieces, s.Urgent = []Piece{{Size: least}}, 0
	}
	if s.cut() && !keeps(name+" pieces") {
		s.Pieces, s.Urgent = []Piece{{Size: total}}, 0
	}
}

// cut reports whether an end does not send all of its bytes at once.
func (s *StreamSide) cut() bool {
	return len(s.Pieces) > 1 || len(s.Pieces) == 1 && s.Pieces[0] != Piece{Size: s.Pieces[0].Size}
}

// limitAfter lets no piece wait for more bytes than the other end sends.
func (s *StreamSide) limitAfter(total int) {
	for i := range s.Pieces {
		s.Pieces[i].After = min(s.Pieces[i].After, total)
	}
}
