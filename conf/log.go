package conf

import (
	"slices"
	"strings"
	"unicode"
)

// facilities, levels and formats are HAProxy's (configuration.txt 4.2, log).
var (
	facilities = []string{
		"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "auth2", "ftp", "ntp",
		"audit", "alert", "cron2", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
	}
	levels  = []string{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"}
	formats = []string{"local", "rfc3164", "rfc5424", "priority", "short", "timed", "iso", "raw"}
)

const (
	defaultLogLength = 1024
	defaultLogFormat = "local"
	syslogPort       = 514
)

// logTarget parses `log ADDRESS [len N] [format F] FACILITY [LEVEL [MINLEVEL]]`.
func (r *reader) logTarget() (LogTarget, bool) {
	t := LogTarget{Pos: r.at, Length: defaultLogLength, Format: defaultLogFormat}
	before := len(*r.problems)
	address := r.next()
	if err := t.setAddress(address); err != "" {
		r.errorf("%s, wanted %s", shown(address), err)
		return t, false
	}
	for len(r.args) > 0 && !slices.Contains(facilities, r.args[0]) {
		switch word := r.next(); word {
		case "len":
			r.atoi(word, r.next(), 80, 65535, &t.Length)
		case "format":
			r.oneOf(word, &t.Format, formats...)
		default:
			r.errorf("'%s', wanted len, format or a facility such as local0", word)
			return t, false
		}
	}
	if len(r.args) == 0 {
		r.errorf("'%s' without a facility, wanted one such as local0", address)
		return t, false
	}
	t.Facility = r.next()
	r.level(&t.Level)
	r.level(&t.MinLevel)
	r.end()
	return t, before == len(*r.problems)
}

func (r *reader) level(into *string) {
	if len(r.args) > 0 {
		r.oneOf("level", into, levels...)
	}
}

// setAddress parses the destination of a log. On an error it returns a description of the allowed
// values, otherwise "".
func (t *LogTarget) setAddress(text string) (wanted string) {
	const where = "an address, a socket's path, stdout, stderr or file@/path"
	path, isFile := strings.CutPrefix(text, "file@")
	switch {
	case text == "":
		return where
	case text == "stdout" || text == "fd@1":
		t.Kind = LogStdout
		return ""
	case text == "stderr" || text == "fd@2":
		t.Kind = LogStderr
		return ""
	case isFile:
		t.Kind, t.Path = LogFile, path
		if !strings.HasPrefix(path, "/") || strings.ContainsFunc(path, unicode.IsControl) {
			return "file@ and an absolute path"
		}
		return ""
	}
	a, local, err := parseLocal(text)
	if local || err != nil {
		t.Kind, t.Address = LogUnix, a
		if err != nil || a.Net != NetUnix {
			return where
		}
		return ""
	}
	return t.setUDP(strings.TrimPrefix(text, "udp@"), where)
}

func (t *LogTarget) setUDP(text, where string) (wanted string) {
	a, port, err := parseHost(text)
	if err != nil || a.Host == "" && !a.IP.IsValid() {
		return where
	}
	a.Port = syslogPort
	if port != "" {
		if a.Port, err = parsePort(text, port); err != nil {
			return "a port from 1 to 65535"
		}
	}
	t.Kind, t.Address = LogUDP, a
	return ""
}
