package access

import (
	"bytes"
	"net/netip"
	"strconv"
	"unicode/utf8"

	"sluice/conf"
)

// AppendJSON appends the line of `log-format json` to dst: one object whose fields are always the
// same and in this order. A field without a value is null. Invalid UTF-8 becomes U+FFFD. AppendJSON
// does not allocate if dst has enough capacity.
func (f *Formatter) AppendJSON(dst []byte, mode conf.Mode, r *HTTPRecord) []byte {
	dst = append(dst, `{"time":"`...)
	dst = r.begun().UTC().AppendFormat(dst, jsonTime)
	dst = append(dst, '"')
	dst = jsonClient(dst, r.Client)
	dst = jsonText(dst, "frontend", r.Frontend)
	dst = jsonText(dst, "backend", r.Backend)
	dst = jsonText(dst, "server", r.Server)
	dst = jsonTimes(dst, mode, r)
	dst = jsonNumber(dst, "bytes", int64(r.Bytes))
	dst = jsonNumber(dst, "uploaded", int64(r.Uploaded))
	dst = jsonCounts(dst, &r.Record)
	if mode == conf.HTTP {
		dst = jsonRequest(dst, r)
	} else {
		dst = jsonText(dst, "term", r.Term[:])
	}
	return append(dst, '}')
}

const jsonTime = "2006-01-02T15:04:05.000Z07:00"

func jsonClient(dst []byte, client netip.AddrPort) []byte {
	if !client.IsValid() {
		dst = jsonText(dst, "client", "unix")
		return append(jsonKey(dst, "client_port"), null...)
	}
	dst = append(jsonKey(dst, "client"), '"')
	dst = append(client.Addr().WithZone("").AppendTo(dst), '"')
	return jsonNumber(dst, "client_port", int64(client.Port()))
}

func jsonTimes(dst []byte, mode conf.Mode, r *HTTPRecord) []byte {
	if mode == conf.HTTP {
		dst = jsonNumber(dst, "ti", r.Ti)
		dst = jsonNumber(dst, "treq", r.TR)
	}
	dst = jsonNumber(dst, "tw", r.Tw)
	dst = jsonNumber(dst, "tc", r.Tc)
	if mode == conf.HTTP {
		dst = jsonNumber(dst, "tr", r.Tr)
		dst = jsonNumber(dst, "ta", r.Tt)
	}
	return jsonNumber(dst, "tt", r.Ti+r.Tt)
}

func jsonCounts(dst []byte, r *Record) []byte {
	dst = jsonNumber(dst, "process_conns", int64(r.Act))
	dst = jsonNumber(dst, "frontend_conns", int64(r.Fe))
	dst = jsonNumber(dst, "backend_conns", int64(r.Be))
	dst = jsonNumber(dst, "server_conns", int64(r.Srv))
	dst = jsonNumber(dst, "retries", int64(r.Retries))
	dst = strconv.AppendBool(jsonKey(dst, "redispatched"), r.Redispatched)
	dst = jsonNumber(dst, "server_queue", int64(r.SrvQueue))
	return jsonNumber(dst, "backend_queue", int64(r.BeQueue))
}

func jsonRequest(dst []byte, r *HTTPRecord) []byte {
	dst = jsonText(dst, "term", []byte{r.Term[0], r.Term[1], letter(r.Cookie[0]), letter(r.Cookie[1])})
	dst = jsonNumber(dst, "status", int64(r.Status))
	method, rest, _ := bytes.Cut(cut(r.Line), blank)
	uri, version, _ := bytes.Cut(rest, blank)
	dst = jsonText(dst, "method", method)
	dst = jsonText(dst, "uri", uri)
	dst = jsonText(dst, "version", version)
	dst = jsonText(dst, "request_cookie", r.RequestCookie)
	dst = jsonText(dst, "response_cookie", r.ResponseCookie)
	dst = jsonList(dst, "request_headers", r.RequestHeaders)
	return jsonList(dst, "response_headers", r.ResponseHeaders)
}

// jsonKey writes a field name. The names are constants that need no escape.
func jsonKey(dst []byte, name string) []byte {
	dst = append(append(dst, `,"`...), name...)
	return append(dst, `":`...)
}

const null = "null"

// jsonNumber writes a number, or null if it is negative: this phase was not reached.
func jsonNumber(dst []byte, name string, n int64) []byte {
	dst = jsonKey(dst, name)
	if n < 0 {
		return append(dst, null...)
	}
	return strconv.AppendInt(dst, n, 10)
}

func jsonText[text string | []byte](dst []byte, name string, t text) []byte {
	dst = jsonKey(dst, name)
	if len(t) == 0 {
		return append(dst, null...)
	}
	return appendJSONString(dst, t)
}

// jsonList writes captured values in the order of the `capture` directives.
func jsonList(dst []byte, name string, slots [][]byte) []byte {
	dst = append(jsonKey(dst, name), '[')
	for i, value := range slots {
		if i > 0 {
			dst = append(dst, ',')
		}
		if value == nil {
			dst = append(dst, null...)
			continue
		}
		dst = appendJSONString(dst, value)
	}
	return append(dst, ']')
}

// appendJSONString writes a string as defined in RFC 8259, section 7.
func appendJSONString[text string | []byte](dst []byte, t text) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(t); {
		c := t[i]
		switch {
		case c >= utf8.RuneSelf:
			r, n := utf8.DecodeRune([]byte(t[i:min(len(t), i+utf8.UTFMax)]))
			dst = utf8.AppendRune(dst, r)
			i += n
			continue
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ' || c == 0x7f:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		default:
			dst = append(dst, c)
		}
		i++
	}
	return append(dst, '"')
}
