package access

import (
	"bytes"
	"net/netip"
	"strconv"

	"sluice/conf"
)

// samples are those that conf takes in log-format. What is not there is a dash,
// and flag Q quotes numbers too.
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

// sampleBackend is nothing where no request was read, and so none decided on.
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

// appendText writes a text as its flags say; nothing is a dash, unless quoted.
func appendText[text string | []byte](dst []byte, t text, flags conf.FormatFlags) []byte {
	if len(t) == 0 && flags&conf.Quote == 0 {
		return append(dst, '-')
	}
	dst = appendQuote(dst, flags)
	dst = appendEscaped(dst, t, "", flags)
	return appendQuote(dst, flags)
}

// appendQuote writes a double quote where flag Q asks for it.
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

// captured is %hr: {value|value}, and nothing without slots or request.
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

// capturedList is %hrl, the style of the Common Log Format: values with blanks
// between them, each with its own quotes.
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

// end is one end of a connection. Neither an address nor unix: not known.
type end struct {
	netip.AddrPort
	unix   bool
	number int32 // shown as the port of a UNIX one
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
		n := int64(e.Port())
		switch {
		case e.IsValid():
		case e.unix:
			n = int64(e.number)
		default:
			return appendText(dst, "", flags)
		}
		if flags&conf.Hex != 0 {
			return appendHex(dst, uint64(n), 4)
		}
		return strconv.AppendInt(dst, n, 10)
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

// sampleStatus is the server's, and nothing where the answer is ours.
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

// badRequest stands where no whole request line was read.
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

// version is HTTP/0.9, as in HAProxy, where the line was cut before it.
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

// path is a target without scheme and host; nothing of `*` and of a CONNECT.
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
