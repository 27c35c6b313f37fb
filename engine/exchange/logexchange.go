package exchange

import (
	"encoding/binary"
	"time"

	"sluice/conf"
	"sluice/engine/access"
	"sluice/engine/httpflow"
	"sluice/engine/session"
	"sluice/engine/sock"
)

// The log line is written when the answer is complete. At that time the two heads are no longer in
// memory, so the parts for the log line are copied to Exchange.logPieces. Each piece is a length of
// two bytes and its text. The pieces are the request line, the captured cookie and headers of the
// request, then those of the answer.

// absent is stored in place of the length of a piece that has no value.
const absent = 0xffff

// tellLine stores the request line and the captures of the request for the log line.
func (m *modeHTTP) tellLine() {
	if m.Frontend.Route == access.None || m.Frontend.Conf.Log.Format == conf.LogDefault {
		return
	}
	h := &m.Sniffed.HTTP
	m.Line = append(m.Line[:0], 0, 0)
	m.Line = append(append(m.Line, h.Method...), ' ')
	m.Line = append(append(m.Line, h.Target...), ' ')
	m.Line = append(m.Line, h.Version...)
	m.Line = m.Line[:min(len(m.Line), 2+access.MaxLine)]
	binary.NativeEndian.PutUint16(m.Line, uint16(len(m.Line)-2))
	m.capture(m.Frontend.Conf.Captures.Cookie, m.Frontend.Conf.Captures.Request, h)
	m.Stock.Hold(&m.x.logPieces, m.Line)
}

// tellAnswer stores the captures of the answer for the log line.
func (m *modeHTTP) tellAnswer(h *httpflow.Head) {
	if m.x.logPieces.Pending() == 0 {
		return
	}
	m.Line = m.Line[:0]
	m.capture(m.Frontend.Conf.Captures.Cookie, m.Frontend.Conf.Captures.Response, h)
	m.Stock.Hold(&m.x.logPieces, m.Line)
}

// capture appends the captures of one head to m.Line.
func (m *modeHTTP) capture(cookie *conf.Capture, headers []conf.Capture, h httpflow.Fields) {
	if cookie != nil {
		m.appendPiece(httpflow.CaptureCookie(h, cookie))
	}
	for i := range headers {
		m.appendPiece(httpflow.CaptureHeader(h, &headers[i]))
	}
}

// appendPiece appends a piece to m.Line. It stores the piece as absent if b is nil or the memory
// budget is used up.
func (m *modeHTTP) appendPiece(b []byte) {
	if b == nil || !m.Stock.Room(&m.x.logPieces, m.x.logPieces.Pending()+len(m.Line)+len(b)) {
		m.Line = binary.NativeEndian.AppendUint16(m.Line, absent)
		return
	}
	b = b[:min(len(b), absent-1)]
	m.Line = binary.NativeEndian.AppendUint16(m.Line, uint16(len(b)))
	m.Line = append(m.Line, b...)
}

// nextPiece returns the first of the stored pieces and the pieces after it. A piece without a value
// is nil.
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
func (m *modeHTTP) logExchange() {
	f := m.Frontend
	opt := &f.Conf.Log
	if f.Route == access.None || opt.Format == conf.LogDefault {
		return
	}
	normal := m.Normal(int(m.x.status))
	if opt.DontLogNull && m.S.ClientBytes() == 0 && !m.x.has(begun) || opt.DontLogNormal && normal {
		return
	}
	r := &m.request
	r.Record = m.RecordOf()
	if f.Line.AsksAddresses() {
		var own [2]sock.Addr
		session.AskOwn(m.S, &own)
		session.TellOwn(m.S, &r.Record, &own)
	}
	r.Accept = time.UnixMilli(m.x.wall)
	if !m.x.has(begun) {
		r.Accept = time.UnixMilli(m.S.Wall)
	}
	r.Bytes, r.Uploaded = m.downloaded(), m.uploaded()
	if m.x.headDone < 0 { // as in HAProxy, the answer to an incomplete head counts as 0 bytes
		r.Bytes = 0
	}
	m.tellTimes(r)
	r.Status = -1
	if m.x.status != 0 {
		r.Status = int(m.x.status)
	}
	r.Cookie = [2]byte{}
	if m.Backend != nil && m.Backend.MarksClients() {
		r.Cookie = [2]byte{m.x.claim.Letter, m.x.cookie}
	}
	m.tellHeads(r)
	m.SendLine(f, r, normal)
}

// tellTimes sets the times of the record in ms; -1: not reached. Each time counts from the event
// before it. As in HAProxy, TR is not reached by a request for which no backend is found, or whose
// rules have failed.
func (m *modeHTTP) tellTimes(r *access.HTTPRecord) {
	r.Ti, r.TR, r.Tr = int64(m.x.gap), int64(m.x.headDone), -1
	if m.Backend == nil && m.S.Term == term('S', 'C') || m.x.has(unsendable) {
		r.TR = -1
	}
	if m.S.Queued >= 0 {
		r.Tw = int64(m.S.Queued - m.x.headDone)
	}
	if m.x.answer >= 0 && m.S.Connected >= 0 {
		r.Tr = int64(m.x.answer - m.S.Connected)
	}
}

// tellHeads sets the request line and the captures of the record.
func (m *modeHTTP) tellHeads(r *access.HTTPRecord) {
	c := &m.Frontend.Conf.Captures
	r.Line, m.piecesLeft = nextPiece(m.Stock.Held(&m.x.logPieces))
	m.slots = m.slots[:0]
	r.RequestCookie = m.nextCookie(c.Cookie)
	r.RequestHeaders = m.nextHeaders(r.Line, c.Request)
	r.ResponseCookie = m.nextCookie(c.Cookie)
	r.ResponseHeaders = m.nextHeaders(r.Line, c.Response)
}

// nextCookie reads the captured cookie of one head from the pieces; nil: no cookie.
func (m *modeHTTP) nextCookie(c *conf.Capture) (cookie []byte) {
	if c != nil {
		cookie, m.piecesLeft = nextPiece(m.piecesLeft)
	}
	return cookie
}

// nextHeaders reads the captured headers of one head from the pieces. It returns nil if no headers
// are captured, or if there was no request.
func (m *modeHTTP) nextHeaders(request []byte, slots []conf.Capture) [][]byte {
	if len(slots) == 0 || request == nil {
		return nil
	}
	start := len(m.slots)
	for range slots {
		var value []byte
		value, m.piecesLeft = nextPiece(m.piecesLeft)
		m.slots = append(m.slots, value)
	}
	return m.slots[start:]
}
