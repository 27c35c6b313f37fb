package engine

import (
	"encoding/binary"
	"time"

	"sluice/conf"
	"sluice/engine/access"
	"sluice/engine/httpflow"
	"sluice/engine/sock"
)

// The log line is written when the answer is complete. At that time the bytes of the two heads are no
// longer in memory, so the parts for the log line are copied. They are stored as pieces with their
// lengths: the request line, the captured cookie and headers of the request, then those of the answer.

// absent is stored as the length of a piece without a value.
const absent = 0xffff

// tellLine stores the request line and the captures of the request for the log line.
func (l *loop) tellLine(f *frontend, x *exchange) {
	if f.route == access.None || f.conf.Log.Format == conf.LogDefault {
		return
	}
	h := &l.sniffed.HTTP
	l.line = append(l.line[:0], 0, 0)
	l.line = append(append(l.line, h.Method...), ' ')
	l.line = append(append(l.line, h.Target...), ' ')
	l.line = append(l.line, h.Version...)
	l.line = l.line[:min(len(l.line), 2+access.MaxLine)]
	binary.NativeEndian.PutUint16(l.line, uint16(len(l.line)-2))
	l.capture(x, f.conf.Captures.Cookie, f.conf.Captures.Request, h)
	l.stock.Hold(&x.logPieces, l.line)
}

// tellAnswer stores the captures of the answer for the log line.
func (l *loop) tellAnswer(f *frontend, x *exchange, h *httpflow.Head) {
	if x.logPieces.Pending() == 0 {
		return
	}
	l.line = l.line[:0]
	l.capture(x, f.conf.Captures.Cookie, f.conf.Captures.Response, h)
	l.stock.Hold(&x.logPieces, l.line)
}

// capture appends the captures of one head to l.line.
func (l *loop) capture(x *exchange, cookie *conf.Capture, headers []conf.Capture, h httpflow.Fields) {
	if cookie != nil {
		l.appendPiece(x, httpflow.CaptureCookie(h, cookie))
	}
	for i := range headers {
		l.appendPiece(x, httpflow.CaptureHeader(h, &headers[i]))
	}
}

// appendPiece appends a piece to l.line. It stores the piece as absent if the memory budget is
// used up.
func (l *loop) appendPiece(x *exchange, b []byte) {
	if b == nil || !l.stock.Room(&x.logPieces, x.logPieces.Pending()+len(l.line)+len(b)) {
		l.line = binary.NativeEndian.AppendUint16(l.line, absent)
		return
	}
	b = b[:min(len(b), absent-1)]
	l.line = binary.NativeEndian.AppendUint16(l.line, uint16(len(b)))
	l.line = append(l.line, b...)
}

// nextPiece returns the first piece and the pieces after it. The piece is nil if it is absent.
func nextPiece(told []byte) (piece, rest []byte) {
	if len(told) < 2 {
		return nil, nil
	}
	n := int(binary.NativeEndian.Uint16(told))
	if told = told[2:]; n == absent {
		return nil, told
	}
	return told[:n], told[n:]
}

// logExchange writes the log line of a request that has ended.
func (l *loop) logExchange(s *session, x *exchange) {
	ln := l.listeners[s.line]
	f := ln.frontend
	opt := &f.conf.Log
	if f.route == access.None || opt.Format == conf.LogDefault {
		return
	}
	normal := s.term[0] == '-' && s.tries == 0 && x.status < 500
	if opt.DontLogNull && s.clientBytes() == 0 && !x.has(begun) || opt.DontLogNormal && normal {
		return
	}
	r := &l.request
	r.Record = l.recordOf(s, ln)
	if f.line.AsksAddresses() {
		var own [2]sock.Addr
		askOwn(s, &own)
		tellOwn(s, &r.Record, &own)
	}
	r.Accept = time.UnixMilli(x.wall)
	if !x.has(begun) {
		r.Accept = time.UnixMilli(s.wall)
	}
	r.Bytes, r.Uploaded = l.downloaded(s, x), l.uploaded(s, x)
	if x.headDone < 0 { // HAProxy counts 0 bytes for the answer to an incomplete head
		r.Bytes = 0
	}
	l.tellTimes(s, x, r)
	r.Status = -1
	if x.status != 0 {
		r.Status = int(x.status)
	}
	r.Cookie = [2]byte{}
	if s.backend >= 0 && l.backendOf(s).marksClients() {
		r.Cookie = [2]byte{x.claim.Letter, x.cookie}
	}
	l.tellHeads(f, x, r)
	l.sendLine(f, r, normal)
}

// tellTimes sets the timers of the record, in ms. Each counts from the event before it.
func (l *loop) tellTimes(s *session, x *exchange, r *access.HTTPRecord) {
	r.Ti, r.TR, r.Tr = int64(x.gap), int64(x.headDone), -1
	if s.queued >= 0 {
		r.Tw = int64(s.queued - x.headDone)
	}
	if x.answer >= 0 && s.connected >= 0 {
		r.Tr = int64(x.answer - s.connected)
	}
}

// tellHeads sets the request line and the captures of the record.
func (l *loop) tellHeads(f *frontend, x *exchange, r *access.HTTPRecord) {
	c := &f.conf.Captures
	r.Line, l.piecesLeft = nextPiece(l.stock.Held(&x.logPieces))
	l.slots = l.slots[:0]
	r.RequestCookie = l.nextCookie(c.Cookie)
	r.RequestHeaders = l.nextHeaders(r.Line, c.Request)
	r.ResponseCookie = l.nextCookie(c.Cookie)
	r.ResponseHeaders = l.nextHeaders(r.Line, c.Response)
}

func (l *loop) nextCookie(c *conf.Capture) (cookie []byte) {
	if c != nil {
		cookie, l.piecesLeft = nextPiece(l.piecesLeft)
	}
	return cookie
}

// nextHeaders returns nil if no headers are captured, or if there was no request.
func (l *loop) nextHeaders(request []byte, slots []conf.Capture) [][]byte {
	if len(slots) == 0 || request == nil {
		return nil
	}
	start := len(l.slots)
	for range slots {
		var value []byte
		value, l.piecesLeft = nextPiece(l.piecesLeft)
		l.slots = append(l.slots, value)
	}
	return l.slots[start:]
}
