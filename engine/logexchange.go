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
func (v *visit) tellLine() {
	if v.f.route == access.None || v.f.conf.Log.Format == conf.LogDefault {
		return
	}
	h := &v.sniffed.HTTP
	v.line = append(v.line[:0], 0, 0)
	v.line = append(append(v.line, h.Method...), ' ')
	v.line = append(append(v.line, h.Target...), ' ')
	v.line = append(v.line, h.Version...)
	v.line = v.line[:min(len(v.line), 2+access.MaxLine)]
	binary.NativeEndian.PutUint16(v.line, uint16(len(v.line)-2))
	v.capture(v.f.conf.Captures.Cookie, v.f.conf.Captures.Request, h)
	v.stock.Hold(&v.x.logPieces, v.line)
}

// tellAnswer stores the captures of the answer for the log line.
func (v *visit) tellAnswer(h *httpflow.Head) {
	if v.x.logPieces.Pending() == 0 {
		return
	}
	v.line = v.line[:0]
	v.capture(v.f.conf.Captures.Cookie, v.f.conf.Captures.Response, h)
	v.stock.Hold(&v.x.logPieces, v.line)
}

// capture appends the captures of one head to l.line.
func (v *visit) capture(cookie *conf.Capture, headers []conf.Capture, h httpflow.Fields) {
	if cookie != nil {
		v.appendPiece(httpflow.CaptureCookie(h, cookie))
	}
	for i := range headers {
		v.appendPiece(httpflow.CaptureHeader(h, &headers[i]))
	}
}

// appendPiece appends a piece to l.line. It stores the piece as absent if the memory budget is
// used up.
func (v *visit) appendPiece(b []byte) {
	if b == nil || !v.stock.Room(&v.x.logPieces, v.x.logPieces.Pending()+len(v.line)+len(b)) {
		v.line = binary.NativeEndian.AppendUint16(v.line, absent)
		return
	}
	b = b[:min(len(b), absent-1)]
	v.line = binary.NativeEndian.AppendUint16(v.line, uint16(len(b)))
	v.line = append(v.line, b...)
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
func (v *visit) logExchange() {
	f := v.f
	opt := &f.conf.Log
	if f.route == access.None || opt.Format == conf.LogDefault {
		return
	}
	normal := v.s.term[0] == '-' && v.s.tries == 0 && v.x.status < 500
	if opt.DontLogNull && v.s.clientBytes() == 0 && !v.x.has(begun) || opt.DontLogNormal && normal {
		return
	}
	r := &v.request
	r.Record = v.recordOf()
	if f.line.AsksAddresses() {
		var own [2]sock.Addr
		askOwn(v.s, &own)
		tellOwn(v.s, &r.Record, &own)
	}
	r.Accept = time.UnixMilli(v.x.wall)
	if !v.x.has(begun) {
		r.Accept = time.UnixMilli(v.s.wall)
	}
	r.Bytes, r.Uploaded = v.downloaded(), v.uploaded()
	if v.x.headDone < 0 { // HAProxy counts 0 bytes for the answer to an incomplete head
		r.Bytes = 0
	}
	v.tellTimes(r)
	r.Status = -1
	if v.x.status != 0 {
		r.Status = int(v.x.status)
	}
	r.Cookie = [2]byte{}
	if v.b != nil && v.b.marksClients() {
		r.Cookie = [2]byte{v.x.claim.Letter, v.x.cookie}
	}
	v.tellHeads(r)
	v.sendLine(f, r, normal)
}

// tellTimes sets the timers of the record, in ms. Each counts from the event before it.
func (v *visit) tellTimes(r *access.HTTPRecord) {
	r.Ti, r.TR, r.Tr = int64(v.x.gap), int64(v.x.headDone), -1
	if v.s.queued >= 0 {
		r.Tw = int64(v.s.queued - v.x.headDone)
	}
	if v.x.answer >= 0 && v.s.connected >= 0 {
		r.Tr = int64(v.x.answer - v.s.connected)
	}
}

// tellHeads sets the request line and the captures of the record.
func (v *visit) tellHeads(r *access.HTTPRecord) {
	c := &v.f.conf.Captures
	r.Line, v.piecesLeft = nextPiece(v.stock.Held(&v.x.logPieces))
	v.slots = v.slots[:0]
	r.RequestCookie = v.nextCookie(c.Cookie)
	r.RequestHeaders = v.nextHeaders(r.Line, c.Request)
	r.ResponseCookie = v.nextCookie(c.Cookie)
	r.ResponseHeaders = v.nextHeaders(r.Line, c.Response)
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
