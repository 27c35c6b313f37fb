package access

import (
	"bytes"
	"net/netip"
	"strconv"

	"sluice/conf"
)

// samples are the samples that conf accepts in log-format. A missing value is written as a dash.
// Flag Q quotes numbers too.
var samples = map[string]writer{
	"src":                sampleIP(func(r *HTTPRecord) netip.AddrPort { return r.Client }),
	"dst":                sampleIP(func(r *HTTPRecord) netip.AddrPort { return r.Local }),
	"src_port":           samplePort(func(r *HTTPRecord) netip.AddrPort { return r.Client }),
	"dst_port":           samplePort(func(r *HTTPRecord) netip.AddrPort { return r.Local }),
	"fe_name":            name(frontend),
	"be_name":            name(sampleBackend),
	"srv_name":           name(func(r *HTTPRecord) string { return r.Server }),
	"capture.req.method": sampleLine(method),
	"capture.req.uri":    sampleLine(func(line []byte) []byte { return path(uri(line)) }),
	"capture.req.ver":    sampleLine(version),
	"status":             sampleStatus,
}

func frontend(r *HTTPRecord) string { return r.Frontend }

func backend(r *HTTPRecord) string {
	if r.Backend == "" {
		return r.Frontend
	}
	return r.Backend
}

// sampleBackend returns "" if no request was read: no backend was chosen then.
func sampleBackend(r *HTTPRecord) string {
	if r.Backend == "" && r.TR < 0 {
		return ""
	}
	return backend(r)
}

func server(r *HTTPRecord) string {
	if r.Server == "" {
		return "<NOSRV>"
	}
	return r.Server
}

// appendText writes a text with its flags. An empty text is written as a dash, unless it is quoted.
func appendText[text string | []byte](dst []byte, t text, flags conf.FormatFlags) []byte {
	if len(t) == 0 && flags&conf.Quote == 0 {
		return append(dst, '-')
	}
	dst = appendQuote(dst, flags)
	dst = appendEscaped(dst, t, "", flags)
	return appendQuote(dst, flags)
}

// appendQuote writes a double quote if flag Q is set.
func appendQuote(dst []byte, flags conf.FormatFlags) []byte {
	if flags&conf.Quote != 0 {
		return append(dst, '"')
	}
	return dst
}

func name(of func(*HTTPRecord) string) writer {
	return func(_ *Formatter, dst []byte, r *HTTPRecord, flags conf.FormatFlags) []byte {
		return appendText(dst, of(r), flags)
	}
}

func cookie(of func(*HTTPRecord) []byte) writer {
	return func(_ *Formatter, dst []byte, r *HTTPRecord, flags conf.FormatFlags) []byte {
		return appendText(dst, of(r), flags)
	}
}

// captured writes %hr or %hs: {value|value}. It writes nothing if nothing is to be captured, or
// without a request.
func captured(of func(*HTTPRecord) [][]byte) writer {
	return func(_ *Formatter, dst []byte, r *HTTPRecord, flags conf.FormatFlags) []byte {
		slots := of(r)
		if slots == nil {
			return dst
		}
		dst = appendQuote(dst, flags)
		dst = appendSlots(dst, slots, flags)
		return appendQuote(dst, flags)
	}
}

// capturedList writes %hrl or %hsl, in the style of the Common Log Format. The values are separated
// by blanks, and each has its own quotes.
func capturedList(of func(*HTTPRecord) [][]byte) writer {
	return func(_ *Formatter, dst []byte, r *HTTPRecord, flags conf.FormatFlags) []byte {
		for i, value := range of(r) {
			if i > 0 {
				dst = append(dst, ' ')
			}
			if value == nil {
				dst = appendText(dst, "", flags)
				continue
			}
			dst = appendQuote(dst, flags)
			dst = appendEscaped(dst, value, slotMarks, flags)
			dst = appendQuote(dst, flags)
		}
		return dst
	}
}

// end is one end of a connection. It is unknown if the address is invalid and unix is false.
type end struct {
	netip.AddrPort
	unix   bool
	number int32 // written as the port of a client's UNIX socket; 0: another socket
}

func ofClient(r *HTTPRecord) end { return end{r.Client, !r.Client.IsValid(), r.Listener} }
func ofLocal(r *HTTPRecord) end  { return end{r.Local, !r.Client.IsValid(), r.Listener} }
func ofTarget(r *HTTPRecord) end { return end{r.Target, r.Server != "", 0} }
func ofSource(r *HTTPRecord) end {
	return end{r.Source, r.Server != "" && !r.Target.IsValid() && r.Tc >= 0, 0}
}

func ip(of func(*HTTPRecord) end) writer {
	return func(_ *Formatter, dst []byte, r *HTTPRecord, flags conf.FormatFlags) []byte {
		e := of(r)
		switch {
		case !e.IsValid() && e.unix:
			return appendText(dst, "unix", flags)
		case e.IsValid() && flags&conf.Hex != 0:
			return appendHexIP(dst, e.Addr())
		}
		return appendIP(dst, e.AddrPort, flags)
	}
}

func appendIP(dst []byte, a netip.AddrPort, flags conf.FormatFlags) []byte {
	if !a.IsValid() {
		return appendText(dst, "", flags)
	}
	dst = appendQuote(dst, flags)
	dst = a.Addr().WithZone("").AppendTo(dst)
	return appendQuote(dst, flags)
}

func appendHexIP(dst []byte, a netip.Addr) []byte {
	b := a.As16()
	digits := b[:]
	if a.Is4() {
		digits = b[12:]
	}
	for _, c := range digits {
		dst = append(dst, hexDigits[c>>4], hexDigits[c&15])
	}
	return dst
}

func port(of func(*HTTPRecord) end) writer {
	return func(_ *Formatter, dst []byte, r *HTTPRecord, flags conf.FormatFlags) []byte {
		e := of(r)
		n := uint64(e.Port())
		switch {
		case e.IsValid():
		case e.unix && e.number > 0:
			return strconv.AppendInt(dst, int64(e.number), 10) // decimal even with flag X, as in HAProxy
		case e.unix:
		default:
			return appendText(dst, "", flags)
		}
		if flags&conf.Hex != 0 {
			return appendHex(dst, n, 4)
		}
		return strconv.AppendUint(dst, n, 10)
	}
}

func sampleIP(of func(*HTTPRecord) netip.AddrPort) writer {
	return func(_ *Formatter, dst []byte, r *HTTPRecord, flags conf.FormatFlags) []byte {
		return appendIP(dst, of(r), flags)
	}
}

func samplePort(of func(*HTTPRecord) netip.AddrPort) writer {
	return func(_ *Formatter, dst []byte, r *HTTPRecord, flags conf.FormatFlags) []byte {
		a := of(r)
		return appendNumber(dst, int64(a.Port()), a.IsValid(), flags)
	}
}

// sampleStatus writes the status of the server's answer. It writes a dash if the answer is not from
// a server.
func sampleStatus(_ *Formatter, dst []byte, r *HTTPRecord, flags conf.FormatFlags) []byte {
	return appendNumber(dst, int64(r.Status), r.Tr >= 0, flags)
}

func appendNumber(dst []byte, n int64, known bool, flags conf.FormatFlags) []byte {
	if !known {
		return appendText(dst, "", flags)
	}
	dst = appendQuote(dst, flags)
	dst = strconv.AppendInt(dst, n, 10)
	return appendQuote(dst, flags)
}

func sampleLine(part func(line []byte) []byte) writer {
	return func(_ *Formatter, dst []byte, r *HTTPRecord, flags conf.FormatFlags) []byte {
		if len(r.Line) == 0 {
			return appendText(dst, "", flags)
		}
		return appendText(dst, part(cut(r.Line)), flags)
	}
}

func ofLine(part func(line []byte) []byte) writer {
	return func(_ *Formatter, dst []byte, r *HTTPRecord, flags conf.FormatFlags) []byte {
		if len(r.Line) == 0 {
			return appendText(dst, badRequest, flags)
		}
		dst = appendQuote(dst, flags)
		dst = appendEscaped(dst, part(cut(r.Line)), lineMarks, flags)
		return appendQuote(dst, flags)
	}
}

// badRequest is written if no complete request line was received.
const badRequest = "<BADREQ>"

func method(line []byte) []byte {
	method, _, _ := bytes.Cut(line, blank)
	return method
}

func uri(line []byte) []byte {
	_, rest, _ := bytes.Cut(line, blank)
	uri, _, _ := bytes.Cut(rest, blank)
	return uri
}

// version returns HTTP/0.9 for a line that was cut before its version, as HAProxy does.
func version(line []byte) []byte {
	_, rest, _ := bytes.Cut(line, blank)
	_, version, _ := bytes.Cut(rest, blank)
	if len(version) == 0 {
		return oldest
	}
	return version
}

func beforeQuery(uri []byte) []byte {
	before, _, _ := bytes.Cut(uri, questionMark)
	return before
}

// path returns a target without scheme and host. It returns nil for `*` and for the target of a
// CONNECT.
func path(uri []byte) []byte {
	if len(uri) > 0 && uri[0] == '/' {
		return uri
	}
	_, authority, _ := bytes.Cut(uri, afterScheme)
	if i := bytes.IndexByte(authority, '/'); i >= 0 {
		return authority[i:]
	}
	return nil
}

var (
	blank        = []byte(" ")
	questionMark = []byte("?")
	afterScheme  = []byte("://")
	oldest       = []byte("HTTP/0.9")
)
