package access

import (
	"net/netip"
	"strconv"
	"time"
)

// Record is what the log line of one connection tells. The names are those of
// HAProxy's log variables (configuration.txt 8.2.6).
type Record struct {
	Client   netip.AddrPort // not valid: a UNIX client, shown as unix:Listener
	Listener int32          // %cp of a UNIX client: the number of the bind line, from 1
	Accept   time.Time      // wall clock at accept
	Frontend string
	Backend  string // empty: none was chosen, the frontend's name is shown
	Server   string // empty: <NOSRV>

	// Milliseconds; -1: this phase was not reached. Tw runs from accept to the
	// moment a server was free, waiting for bytes to inspect included; Tc from
	// there to the established connection; Tt from accept to the end.
	Tw, Tc, Tt int64

	Bytes    uint64  // from server to client
	Uploaded uint64  // from client to server
	Term     [2]byte // the termination state, such as "--" or "cD"

	Act, Fe, Be, Srv  int32 // connections as this one ends: process, frontend, backend, server
	Retries           int32 // attempts after the first
	Redispatched      bool  // the last retry went to another server: Retries is shown with a +
	SrvQueue, BeQueue int32 // how many waited before this one

	// What only some formats tell.
	Local  netip.AddrPort // that the client connected to; not valid: the client is a UNIX one
	Target netip.AddrPort // of the server; not valid: none was chosen, or it is a UNIX one
	Source netip.AddrPort // from which it was connected to; not valid: it was not, or it is a UNIX one
	Serial uint64         // the line's number in this process
}

// Formatter appends log lines. It caches the text of the second it wrote last,
// so each loop owns one; it must not be copied or shared.
type Formatter struct {
	second int64
	text   [len(dateLayout) + 1]byte
}

// dateLayout is HAProxy's %t without its milliseconds.
const dateLayout = "02/Jan/2006:15:04:05"

// AppendTCP appends the line of `option tcplog` (configuration.txt 8.2.2), with
// neither header nor newline. It does not allocate if dst has room.
func (f *Formatter) AppendTCP(dst []byte, r *Record) []byte {
	dst = f.appendRoute(dst, r)
	dst = appendInts(dst, r.Tw, r.Tc, r.Tt)
	dst = append(dst, ' ')
	dst = strconv.AppendUint(dst, r.Bytes, 10)
	dst = append(dst, ' ', r.Term[0], r.Term[1], ' ')
	return appendCounts(dst, r)
}

// appendRoute writes what all lines begin with, up to the server and a blank.
func (f *Formatter) appendRoute(dst []byte, r *Record) []byte {
	dst = appendPeer(dst, r.Client, r.Listener)
	dst = append(dst, " ["...)
	dst = f.appendDate(dst, r.Accept)
	dst = append(dst, "] "...)
	dst = append(dst, r.Frontend...)
	dst = append(dst, ' ')
	dst = appendServer(dst, r)
	return append(dst, ' ')
}

// appendCounts writes the connections and the queues.
func appendCounts(dst []byte, r *Record) []byte {
	dst = appendInts(dst, int64(r.Act), int64(r.Fe), int64(r.Be), int64(r.Srv))
	dst = appendRetries(append(dst, '/'), r)
	dst = append(dst, ' ')
	return appendInts(dst, int64(r.SrvQueue), int64(r.BeQueue))
}

func appendRetries(dst []byte, r *Record) []byte {
	if r.Redispatched {
		dst = append(dst, '+')
	}
	return strconv.AppendInt(dst, int64(r.Retries), 10)
}

func appendServer(dst []byte, r *Record) []byte {
	backend, server := r.Backend, r.Server
	if backend == "" {
		backend = r.Frontend
	}
	if server == "" {
		server = "<NOSRV>"
	}
	dst = append(dst, backend...)
	dst = append(dst, '/')
	return append(dst, server...)
}

func appendInts(dst []byte, values ...int64) []byte {
	for i, v := range values {
		if i > 0 {
			dst = append(dst, '/')
		}
		dst = strconv.AppendInt(dst, v, 10)
	}
	return dst
}

// appendPeer writes addresses as HAProxy does: IPv6 without brackets or zone.
func appendPeer(dst []byte, peer netip.AddrPort, listener int32) []byte {
	if !peer.IsValid() {
		dst = append(dst, "unix:"...)
		return strconv.AppendInt(dst, int64(listener), 10)
	}
	dst = peer.Addr().WithZone("").AppendTo(dst)
	dst = append(dst, ':')
	return strconv.AppendUint(dst, uint64(peer.Port()), 10)
}

// appendDate writes the local time with milliseconds. The zero Formatter holds
// no text, which its length byte tells.
func (f *Formatter) appendDate(dst []byte, t time.Time) []byte {
	if s := t.Unix(); s != f.second || f.text[len(dateLayout)] == 0 {
		f.second = s
		t.Local().AppendFormat(f.text[:0], dateLayout)
		f.text[len(dateLayout)] = '.'
	}
	dst = append(dst, f.text[:]...)
	return appendMilliseconds(dst, t.Nanosecond()/int(time.Millisecond))
}

func appendMilliseconds(dst []byte, ms int) []byte {
	return append(dst, byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10))
}
