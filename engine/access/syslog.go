package access

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"sluice/conf"
)

// Level is a syslog severity. A lower number is more severe.
type Level uint8

// The levels of RFC 5424.
const (
	Emerg Level = iota
	Alert
	Crit
	Err
	Warning
	Notice
	Info
	Debug
)

var levels = []string{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"}

func (l Level) String() string { return levels[l] }

// facilities are HAProxy's names; the index is the syslog number.
var facilities = []string{
	"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news",
	"uucp", "cron", "auth2", "ftp", "ntp", "audit", "alert", "cron2",
	"local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
}

// Lengths of a line in bytes: the range that HAProxy accepts, and its default.
const (
	minLength     = 80
	maxLength     = 65535
	defaultLength = 1024
)

// target is one `log` directive: the format and the levels of its lines, and the carrier that sends
// them. It is immutable.
type target struct {
	header   header
	facility int
	least    Level // the least severe level that is sent
	most     Level // the most severe level of a line: more severe lines are sent with this level
	length   int   // longest line in bytes, with its header, without the newline
	tag      string
	pid      string
	carrier  *carrier
}

// newTarget checks a `log` directive. tag and pid are written in the headers of lines.
func newTarget(t conf.LogTarget, tag string, pid int) (target, error) {
	n := target{tag: tag, pid: strconv.Itoa(pid), length: t.Length, least: Debug}
	var err error
	if n.length == 0 {
		n.length = defaultLength
	}
	if n.length < minLength || n.length > maxLength {
		return n, fmt.Errorf("log length %d: want %d to %d bytes", n.length, minLength, maxLength)
	}
	if n.header, err = parseHeader(t.Format); err != nil {
		return n, err
	}
	if n.facility = slices.Index(facilities, t.Facility); n.facility < 0 {
		return n, fmt.Errorf("log facility %q: want one of %q", t.Facility, facilities)
	}
	if t.Level != "" {
		if n.least, err = parseLevel(t.Level); err != nil {
			return n, err
		}
	}
	if t.MinLevel != "" {
		n.most, err = parseLevel(t.MinLevel)
	}
	return n, err
}

func parseLevel(word string) (Level, error) {
	if i := slices.Index(levels, word); i >= 0 {
		return Level(i), nil
	}
	return 0, fmt.Errorf("log level %q: want one of %q", word, levels)
}

// wants reports whether lines of that level are sent.
func (t *target) wants(lv Level) bool { return lv <= t.least }

// append appends the line in the form of this target: header, text and newline. It cuts the text to
// the length. As in HAProxy the length includes the header but not the newline.
func (t *target) append(dst []byte, lv Level, at time.Time, line []byte) []byte {
	start := len(dst)
	dst = t.header(dst, t, max(lv, t.most), at)
	dst = append(dst, line...)
	if len(dst)-start > t.length {
		dst = dst[:start+t.length]
	}
	return append(dst, '\n')
}

// header appends the text before a line.
type header func(dst []byte, t *target, lv Level, at time.Time) []byte

// headers are the formats of HAProxy's `log ... format` (configuration.txt 3.1, "log"). The bytes
// are those that version 2.6 sends.
var headers = map[string]header{
	"local":    localHeader,
	"rfc3164":  rfc3164Header,
	"rfc5424":  rfc5424Header,
	"priority": func(dst []byte, t *target, lv Level, _ time.Time) []byte { return t.appendPriority(dst, lv) },
	"short":    func(dst []byte, _ *target, lv Level, _ time.Time) []byte { return appendSeverity(dst, lv) },
	"timed":    timedHeader,
	"iso": func(dst []byte, _ *target, _ Level, at time.Time) []byte {
		return append(at.AppendFormat(dst, isoLayout), ' ')
	},
	"raw": func(dst []byte, _ *target, _ Level, _ time.Time) []byte { return dst },
}

const isoLayout = "2006-01-02T15:04:05.000000-07:00"

func parseHeader(word string) (header, error) {
	if word == "" {
		word = "local"
	}
	if h, ok := headers[word]; ok {
		return h, nil
	}
	return nil, fmt.Errorf("log format %q: want local, rfc3164, rfc5424, priority, short, timed, iso or raw", word)
}

func localHeader(dst []byte, t *target, lv Level, at time.Time) []byte {
	dst = t.appendPriority(dst, lv)
	dst = at.AppendFormat(dst, time.Stamp)
	return t.appendTag(append(dst, ' '))
}

// rfc3164Header writes localhost as the host name, as HAProxy does without log-send-hostname.
func rfc3164Header(dst []byte, t *target, lv Level, at time.Time) []byte {
	dst = t.appendPriority(dst, lv)
	dst = at.AppendFormat(dst, time.Stamp)
	return t.appendTag(append(dst, " localhost "...))
}

func rfc5424Header(dst []byte, t *target, lv Level, at time.Time) []byte {
	dst = append(t.appendPriority(dst, lv), "1 "...)
	dst = at.AppendFormat(dst, isoLayout)
	dst = append(append(dst, " - "...), t.tag...)
	dst = append(append(dst, ' '), t.pid...)
	return append(dst, " - - "...)
}

func timedHeader(dst []byte, _ *target, lv Level, at time.Time) []byte {
	dst = appendSeverity(dst, lv)
	return append(at.AppendFormat(dst, isoLayout), ' ')
}

func (t *target) appendPriority(dst []byte, lv Level) []byte {
	dst = strconv.AppendInt(append(dst, '<'), int64(t.facility<<3|int(lv)), 10)
	return append(dst, '>')
}

func appendSeverity(dst []byte, lv Level) []byte {
	return append(dst, '<', '0'+byte(lv), '>')
}

func (t *target) appendTag(dst []byte) []byte {
	dst = append(append(dst, t.tag...), '[')
	return append(append(dst, t.pid...), "]: "...)
}
