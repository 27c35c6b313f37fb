package access

import (
	"net/netip"
	"strconv"
	"time"
)

// Record holds the values of the log line of one connection. The names are those of HAProxy's log
// variables (configuration.txt 8.2.6).
type Record struct {
	Client   netip.AddrPort // invalid: the client is on a UNIX socket, written as unix:Listener
	Listener int32          // %cp of a client on a UNIX socket: number of the bind directive, from 1
	Accept   time.Time      // wall-clock time of the accept
	Frontend string
	Backend  string // empty: no backend was chosen; the frontend's name is written
	Server   string // empty: no server was chosen; <NOSRV> is written

	// Times in milliseconds; -1: this phase was not reached. Tw is from the accept to the choice of
	// a server; it includes the wait for bytes to inspect. Tc is from that moment to the
	// established connection. Tt is from the accept to the end.
	Tw, Tc, Tt int64

	Bytes    uint64  // bytes from server to client
	Uploaded uint64  // bytes from client to server
	Term     [2]byte // first two letters of the termination state, such as "--" or "cD"

	Act, Fe, Be, Srv  int32 // connections of process, frontend, backend and server when this one ends
	Retries           int32 // connection attempts after the first
	Redispatched      bool  // the last attempt went to another server; Retries is written with a +
	SrvQueue, BeQueue int32 // sessions before this one in the queues; always 0, because there are no queues

	// The following fields are used by some formats only.
	Local  netip.AddrPort // the address that the client connected to; invalid: a UNIX socket
	Target netip.AddrPort // address of the server; invalid: no server was chosen, or it has a UNIX socket
	Source netip.AddrPort // our address of the server connection; invalid: no connection, or a UNIX socket
	Serial uint64         // number of the line in this process, for %rt
}

// Formatter appends log lines. It keeps the current date and time as text and formats them anew
// once a second, so each loop owns a Formatter. A Formatter must not be copied or shared.
type Formatter struct {
	second int64
	text   [len(dateLayout) + 1]byte
}

// dateLayout is HAProxy's %t without the milliseconds.
const dateLayout = "02/Jan/2006:15:04:05"

// AppendTCP appends the line of `option tcplog` (configuration.txt 8.2.2) to dst, without header
// and newline. It does not allocate if dst has enough capacity.
func (f *Formatter) AppendTCP(dst []byte, r *Record) []byte {
	dst = f.appendRoute(dst, r)
	dst = appendInts(dst, r.Tw, r.Tc, r.Tt)
	dst = append(dst, ' ')
	dst = strconv.AppendUint(dst, r.Bytes, 10)
	dst = append(dst, ' ', r.Term[0], r.Term[1], ' ')
	return appendCounts(dst, r)
}

// appendRoute writes the common start of all lines, up to the server and the blank after it.
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

// appendCounts writes the numbers of connections, the retries and the queues.
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

// appendPeer writes an address as HAProxy does: IPv6 without brackets and zone.
func appendPeer(dst []byte, peer netip.AddrPort, listener int32) []byte {
	if !peer.IsValid() {
		dst = append(dst, "unix:"...)
		return strconv.AppendInt(dst, int64(listener), 10)
	}
	dst = peer.Addr().WithZone("").AppendTo(dst)
	dst = append(dst, ':')
	return strconv.AppendUint(dst, uint64(peer.Port()), 10)
}

// appendDate writes the local time with milliseconds. The last byte of f.text is 0 as long as the
// cache is empty.
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
