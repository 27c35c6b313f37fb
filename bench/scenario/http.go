package scenario

import (
	"sluice/bench/load"
	"sluice/bench/peer"
)

// reading selects the peers that read every request and route by Host.
func reading(p peer.Peer) bool { return plain(p) && p.Routes(peer.Host) }

// readingAnyPipe is reading for bulk: it also selects the variants of HAProxy that splice.
func readingAnyPipe(p peer.Peer) bool { return anyPipe(p) && p.Routes(peer.Host) }

var httpSite = peer.Site{Route: peer.Host, Rules: 2, MaxConn: fewConns, HTTP: true}

func httpKeepalive(Scale) []*Variant { return httpAsking(kept, perReq) }

func httpConnRate(Scale) []*Variant { return httpAsking(short, perConn) }

func httpAsking(k kind, headline string) []*Variant {
	return []*Variant{{
		Params: map[string]any{"clients": 64, "log": onOff(false)}, Headline: headline,
		Wants: reading, Site: httpSite,
		Work: &asking{kind: k, clients: 64},
		Wrk:  &load.Wrk{Clients: 64, Keep: k == kept},
	}}
}

// httpBulk moves bytes in one direction at a time, because HTTP does so.
func httpBulk(s Scale) []*Variant {
	size, directions := int64(1<<30), []string{"down", "up"}
	if s.Quick {
		size, directions = 256<<20, directions[:1]
	}
	return moves(size, directions, Variant{Headline: perGB, Wants: readingAnyPipe, Site: httpSite})
}
