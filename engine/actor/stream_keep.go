package actor

import "fmt"

var readingDetails = []string{"Wait", "Most", "Pause"}

// Keep removes parts of a plan: unusual properties of its two ends. It calls keeps with the name of
// each part that the plan has, for example "client 3 End" or "server 3 bytes". It removes the parts
// for which keeps returns false.
func (p *StreamPlan) Keep(keeps func(part string) bool) {
	for _, server := range []bool{false, true} {
		p.keepSide(server, keeps)
	}
	if p.Fast && !keeps(fmt.Sprint("client ", p.Number, " Fast")) {
		p.Fast = false
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

// cut reports whether an end sends its bytes in several pieces, or a piece has a condition or a
// pause.
func (s *StreamSide) cut() bool {
	return len(s.Pieces) > 1 || len(s.Pieces) == 1 && s.Pieces[0] != Piece{Size: s.Pieces[0].Size}
}

// limitAfter reduces Piece.After to total, the number of bytes that the other end sends.
func (s *StreamSide) limitAfter(total int) {
	for i := range s.Pieces {
		s.Pieces[i].After = min(s.Pieces[i].After, total)
	}
}
