package engine

// tellLine keeps the request's line for the log, as the bytes it stands in are
// gone by the time the answer is complete.
func (l *loop) tellLine(f *frontend, x *exchange) {
	if f.route == 0 {
		return
	}
	h := &l.sniffed.HTTP
	l.line = append(l.line[:0], h.Method...)
	l.line = append(append(l.line, ' '), h.Target...)
	l.line = append(append(l.line, ' '), h.Version...)
	l.stock.Hold(&x.told, l.line)
}

func (l *loop) logExchange(s *session, x *exchange) {
}
