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
	plain bool   // a number or a date: +Q writes quotes only if the value is missing
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

// end is one end of a connection. It is unknown if the address is invalid and unix is false.
type end struct {
	netip.AddrPort
	unix   bool
	number int32 // written as the port of a client's UNIX socket; 0: another socket
}

func client(f *Facts) end   { return end{f.Src, !f.Src.IsValid() && f.Listener > 0, f.Listener} }
func listener(f *Facts) end { return end{f.Dst, client(f).unix, f.Listener} }
func server(f *Facts) end   { return end{f.ServerAddr, f.Server != "", 0} }
func source(f *Facts) end   { return end{f.SourceAddr, f.Server != "" && !f.ServerAddr.IsValid(), 0} }

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

func ip(of func(*Facts) end) variable {
	return variable{
		write: func(dst []byte, f *Facts) []byte {
			if e := of(f); e.IsValid() {
				return e.Addr().Unmap().WithZone("").AppendTo(dst)
			}
			return of(f).appendUnix(dst)
		},
		hex: func(dst []byte, f *Facts) []byte {
			if e := of(f); e.IsValid() {
				return appendHexIP(dst, e.Addr().Unmap())
			}
			return of(f).appendUnix(dst)
		},
	}
}

func (e end) appendUnix(dst []byte) []byte {
	if !e.unix {
		return dst
	}
	return append(dst, "unix"...)
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

func port(of func(*Facts) end) variable {
	return variable{
		plain: true,
		write: func(dst []byte, f *Facts) []byte { return of(f).appendPort(dst, false) },
		hex:   func(dst []byte, f *Facts) []byte { return of(f).appendPort(dst, true) },
	}
}

// appendPort writes the port. The number of a client's UNIX socket is decimal even in a hexadecimal
// format, as in HAProxy.
func (e end) appendPort(dst []byte, hex bool) []byte {
	n := e.Port()
	switch {
	case e.IsValid():
	case !e.unix:
		return dst
	case e.number > 0:
		return strconv.AppendInt(dst, int64(e.number), 10)
	}
	if hex {
		return append(dst, hexDigits[n>>12], hexDigits[n>>8&15], hexDigits[n>>4&15], hexDigits[n&15])
	}
	return strconv.AppendUint(dst, uint64(n), 10)
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
