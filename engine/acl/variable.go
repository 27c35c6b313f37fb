package acl

import (
	"net/netip"
	"strconv"
	"time"
)

// writer appends the value of a variable.
type writer func(dst []byte, f *Facts) []byte

// variable is a log-format variable of HAProxy (configuration.txt 8.2.6).
type variable struct {
	write writer
	hex   writer // used with the flag +X; nil: the flag has no effect
	plain bool   // a number or a date, which is never quoted
	line  bool   // a part of the request line
}

var variables = map[string]variable{
	"ci": ip(client), "cp": port(client),
	"fi": ip(listener), "fp": port(listener),
	"si": ip(server), "sp": port(server),
	"bi": ip(source), "bp": port(source),
	"f":  {write: func(dst []byte, f *Facts) []byte { return append(dst, f.Frontend...) }},
	"ft": {write: func(dst []byte, f *Facts) []byte { return append(dst, f.Frontend...) }},
	"b":  {write: backendName},
	"s":  {write: serverName},

	"HM":  ofLine(lineMethod),
	"HU":  ofLine(lineTarget),
	"HP":  ofLine(beforeQuery),
	"HPO": ofLine(linePath),
	"HQ":  ofLine(fromQuery),
	"HV":  ofLine(lineVersion),
	"r":   {write: wholeLine, line: true},

	"t":  date("02/Jan/2006:15:04:05.000", time.Time.Local),
	"T":  date("02/Jan/2006:15:04:05 -0700", time.Time.UTC),
	"Tl": date("02/Jan/2006:15:04:05 -0700", time.Time.Local),
	"Ts": {write: seconds, hex: hexSeconds, plain: true},
	"ms": {write: milliseconds, plain: true},
}

func client(f *Facts) netip.AddrPort   { return f.Src }
func listener(f *Facts) netip.AddrPort { return f.Dst }
func server(f *Facts) netip.AddrPort   { return f.ServerAddr }
func source(f *Facts) netip.AddrPort   { return f.SourceAddr }

// backendName writes the frontend's name if no backend has been chosen, as in HAProxy.
func backendName(dst []byte, f *Facts) []byte {
	if f.Backend == "" {
		return append(dst, f.Frontend...)
	}
	return append(dst, f.Backend...)
}

func serverName(dst []byte, f *Facts) []byte {
	if f.Server == "" {
		return append(dst, "<NOSRV>"...)
	}
	return append(dst, f.Server...)
}

func ip(of func(*Facts) netip.AddrPort) variable {
	return variable{
		write: func(dst []byte, f *Facts) []byte {
			a := of(f)
			if !a.IsValid() {
				return dst
			}
			return a.Addr().Unmap().WithZone("").AppendTo(dst)
		},
		hex: func(dst []byte, f *Facts) []byte { return appendHexIP(dst, of(f).Addr().Unmap()) },
	}
}

func appendHexIP(dst []byte, a netip.Addr) []byte {
	if !a.IsValid() {
		return dst
	}
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

func port(of func(*Facts) netip.AddrPort) variable {
	return variable{
		plain: true,
		write: func(dst []byte, f *Facts) []byte {
			a := of(f)
			if !a.IsValid() {
				return dst
			}
			return strconv.AppendUint(dst, uint64(a.Port()), 10)
		},
		hex: func(dst []byte, f *Facts) []byte {
			n := of(f).Port()
			return append(dst, hexDigits[n>>12], hexDigits[n>>8&15], hexDigits[n>>4&15], hexDigits[n&15])
		},
	}
}

func date(layout string, in func(time.Time) time.Time) variable {
	return variable{plain: true, write: func(dst []byte, f *Facts) []byte {
		if f.Accepted.IsZero() {
			return dst
		}
		return in(f.Accepted).AppendFormat(dst, layout)
	}}
}

func seconds(dst []byte, f *Facts) []byte { return strconv.AppendInt(dst, f.Accepted.Unix(), 10) }

func hexSeconds(dst []byte, f *Facts) []byte {
	start := len(dst)
	dst = strconv.AppendInt(dst, f.Accepted.Unix(), 16)
	for i := start; i < len(dst); i++ {
		dst[i] = upper(dst[i])
	}
	return dst
}

func milliseconds(dst []byte, f *Facts) []byte {
	ms := f.Accepted.Nanosecond() / int(time.Millisecond)
	return append(dst, byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10))
}
