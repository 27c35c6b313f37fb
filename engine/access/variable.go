package access

import (
	"os"
	"strconv"
	"time"

	"sluice/conf"
)

// variables are the variables of configuration.txt 8.2.6 that conf accepts in log-format. Tests
// compare the results with HAProxy 2.6.
var variables = map[string]writer{
	"H": name(func(*HTTPRecord) string { return hostname }),
	"f": name(frontend), "ft": name(frontend), "b": name(backend), "s": name(server),

	"ci": ip(ofClient), "cp": port(ofClient),
	"fi": ip(ofLocal), "fp": port(ofLocal),
	"si": ip(ofTarget), "sp": port(ofTarget),
	"bi": ip(ofSource), "bp": port(ofSource),

	"t":   milliDate((*HTTPRecord).accepted),
	"tr":  milliDate((*HTTPRecord).begun),
	"T":   date((*HTTPRecord).accepted, time.Time.UTC),
	"Tl":  date((*HTTPRecord).accepted, time.Time.Local),
	"trg": date((*HTTPRecord).begun, time.Time.UTC),
	"trl": date((*HTTPRecord).begun, time.Time.Local),
	"Ts":  hexNumber(func(r *HTTPRecord) int64 { return r.accepted().Unix() }),
	"ms":  milliseconds,

	"Th": number(func(*HTTPRecord) int64 { return 0 }), // always 0: neither TLS nor the PROXY protocol is accepted
	"Ti": number(func(r *HTTPRecord) int64 { return r.Ti }),
	"TR": number(func(r *HTTPRecord) int64 { return r.TR }),
	"Tq": number(untilAsked),
	"Tw": number(func(r *HTTPRecord) int64 { return r.Tw }),
	"Tc": number(func(r *HTTPRecord) int64 { return r.Tc }),
	"Tr": number(func(r *HTTPRecord) int64 { return r.Tr }),
	"Td": number(ofData),
	"Ta": number(func(r *HTTPRecord) int64 { return r.Tt }),
	"Tu": number(func(r *HTTPRecord) int64 { return r.Tt }),
	"Tt": number(func(r *HTTPRecord) int64 { return r.Ti + r.Tt }),

	"ST": number(func(r *HTTPRecord) int64 { return int64(r.Status) }),
	"B":  number(func(r *HTTPRecord) int64 { return int64(r.Bytes) }),
	"U":  number(func(r *HTTPRecord) int64 { return int64(r.Uploaded) }),
	"ac": number(func(r *HTTPRecord) int64 { return int64(r.Act) }),
	"fc": number(func(r *HTTPRecord) int64 { return int64(r.Fe) }),
	"bc": number(func(r *HTTPRecord) int64 { return int64(r.Be) }),
	"sc": number(func(r *HTTPRecord) int64 { return int64(r.Srv) }),
	"sq": number(func(r *HTTPRecord) int64 { return int64(r.SrvQueue) }),
	"bq": number(func(r *HTTPRecord) int64 { return int64(r.BeQueue) }),
	"rc": func(_ *Formatter, dst []byte, r *HTTPRecord, _ conf.FormatFlags) []byte {
		return appendRetries(dst, &r.Record)
	},

	"pid": hexNumber(func(*HTTPRecord) int64 { return int64(os.Getpid()) }),
	"rt":  hexNumber(func(r *HTTPRecord) int64 { return int64(r.Serial) }),

	"ts": func(_ *Formatter, dst []byte, r *HTTPRecord, _ conf.FormatFlags) []byte {
		return append(dst, r.Term[0], r.Term[1])
	},
	"tsc": func(_ *Formatter, dst []byte, r *HTTPRecord, _ conf.FormatFlags) []byte {
		return append(dst, r.Term[0], r.Term[1], letter(r.Cookie[0]), letter(r.Cookie[1]))
	},

	"r":   ofLine(func(line []byte) []byte { return line }),
	"HM":  ofLine(method),
	"HU":  ofLine(uri),
	"HP":  ofLine(func(line []byte) []byte { return beforeQuery(uri(line)) }),
	"HPO": ofLine(func(line []byte) []byte { return path(beforeQuery(uri(line))) }),
	"HQ":  ofLine(func(line []byte) []byte { return uri(line)[len(beforeQuery(uri(line))):] }),
	"HV":  ofLine(version),

	"CC":  cookie(func(r *HTTPRecord) []byte { return r.RequestCookie }),
	"CS":  cookie(func(r *HTTPRecord) []byte { return r.ResponseCookie }),
	"hr":  captured(func(r *HTTPRecord) [][]byte { return r.RequestHeaders }),
	"hs":  captured(func(r *HTTPRecord) [][]byte { return r.ResponseHeaders }),
	"hrl": capturedList(func(r *HTTPRecord) [][]byte { return r.RequestHeaders }),
	"hsl": capturedList(func(r *HTTPRecord) [][]byte { return r.ResponseHeaders }),
}

// hostname is the value of %H. It is read once, as in HAProxy.
var hostname = func() string {
	name, err := os.Hostname()
	if err != nil {
		return "localhost"
	}
	return name
}()

// begun returns the time of the request's first byte.
func (r *HTTPRecord) begun() time.Time { return r.Accept }

// accepted returns the time of the accept, or of the end of the previous answer.
func (r *HTTPRecord) accepted() time.Time {
	return r.Accept.Add(-time.Duration(r.Ti) * time.Millisecond)
}

// untilAsked returns %Tq.
func untilAsked(r *HTTPRecord) int64 {
	if r.TR < 0 {
		return -1
	}
	return r.Ti + r.TR
}

// ofData returns %Td: the time from the answer's head to the end. In mode tcp it starts at the
// established connection.
func ofData(r *HTTPRecord) int64 {
	if r.Tc < 0 || r.Tr < 0 {
		return -1
	}
	return max(r.Tt-r.TR-r.Tw-r.Tc-r.Tr, 0)
}

func number(of func(*HTTPRecord) int64) writer {
	return func(_ *Formatter, dst []byte, r *HTTPRecord, _ conf.FormatFlags) []byte {
		return strconv.AppendInt(dst, of(r), 10)
	}
}

// hexNumber writes a number, in hexadecimal if flag X is set.
func hexNumber(of func(*HTTPRecord) int64) writer {
	return func(_ *Formatter, dst []byte, r *HTTPRecord, flags conf.FormatFlags) []byte {
		if flags&conf.Hex != 0 {
			return appendHex(dst, uint64(of(r)), 4)
		}
		return strconv.AppendInt(dst, of(r), 10)
	}
}

// appendHex writes at least this number of digits.
func appendHex(dst []byte, n uint64, digits int) []byte {
	for digits < 16 && n>>(4*digits) != 0 {
		digits++
	}
	for digits--; digits >= 0; digits-- {
		dst = append(dst, hexDigits[n>>(4*digits)&15])
	}
	return dst
}

func milliDate(of func(*HTTPRecord) time.Time) writer {
	return func(f *Formatter, dst []byte, r *HTTPRecord, _ conf.FormatFlags) []byte {
		return f.appendDate(dst, of(r))
	}
}

func date(of func(*HTTPRecord) time.Time, zone func(time.Time) time.Time) writer {
	return func(_ *Formatter, dst []byte, r *HTTPRecord, _ conf.FormatFlags) []byte {
		return zone(of(r)).AppendFormat(dst, dateLayout+" -0700")
	}
}

func milliseconds(_ *Formatter, dst []byte, r *HTTPRecord, flags conf.FormatFlags) []byte {
	ms := r.accepted().Nanosecond() / int(time.Millisecond)
	if flags&conf.Hex != 0 {
		return appendHex(dst, uint64(ms), 2)
	}
	return appendMilliseconds(dst, ms)
}
