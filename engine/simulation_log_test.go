//go:build simulation

package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// logFormat is the format of a frontend's log lines.
type logFormat string

const (
	logOfOurs  logFormat = "log-format" // contains every value that is checked
	logTCP     logFormat = "option tcplog"
	logHTTP    logFormat = "option httplog"
	logJSON    logFormat = "log-format json"
	logConnect logFormat = "" // no format: one line at the start of each connection
	logNothing logFormat = "no log"
)

// logQuiet are option dontlognull and option dontlog-normal, which suppress log lines.
type logQuiet struct{ null, normal bool }

// The formats with every value that is checked. readOurs reads their fields.
const (
	ourTCP  = `%ci:%cp %f %b %s %Tw/%Tc/%Tt %B %U %ts %ac/%fc/%bc/%sc/%rc`
	ourHTTP = `%ci:%cp %f %b %s %Ti/%TR/%Tw/%Tc/%Tr/%Ta %B %U %tsc %ac/%fc/%bc/%sc/%rc %ST %CC %CS %{+Q}hr %{+Q}hs %{+Q}r`
	moreTCP = ` %fi:%fp %bi:%bp %si:%sp %rt %[src] %[dst_port] %[fe_name]`
)

// otherLog chooses a log format other than logOfOurs.
func otherLog(t *turn[*simFront]) {
	all := []logFormat{logTCP, logJSON, logConnect, logNothing}
	if t.of.http {
		all = append(all, logHTTP, logHTTP)
	}
	t.of.log = among(t.Rand, all...)
}

// writeLog adds the configuration lines for the log.
func (f *simFront) writeLog() {
	if f.log == logNothing {
		return
	}
	f.say("log 127.0.9.%d len 65535 local0", f.number+1)
	switch {
	case f.log == logOfOurs && f.http:
		f.say("log-format '%s'", ourHTTP)
	case f.log == logOfOurs:
		f.say("log-format '%s%s'", ourTCP, moreTCP)
	case f.log != logConnect:
		f.say("%s", f.log)
	}
}

// simLine contains the values of a log line. A number is -1 if the format does not contain it.
type simLine struct {
	text            string
	client          netip.AddrPort // invalid: a UNIX socket
	back, server    string         // as in the line: the frontend's name and <NOSRV> if none was chosen
	head            int64          // %TR in ms
	tw, tc, tr, all int64          // times in ms; all is %Tt or %Ta
	bytes, uploaded int64
	term            string // termination state: two letters, in mode http four
	retries         int
	redispatched    bool
	status          int // -2: the format does not contain it
	request         string
	stamp           string        // see frontLine
	newest          int           // see frontLine
	at              time.Duration // time since the start
}

// badRequestLine is the logged request line of a request whose head was not complete.
const badRequestLine = "<BADREQ>"

// parseLine reads a log line in the format of the frontend.
func (f *simFront) parseLine(text string) (*simLine, error) {
	l := &simLine{text: text, uploaded: -1, bytes: -1, status: -2, tr: -1}
	switch f.log {
	case logOfOurs:
		return l, l.readOurs(f.http)
	case logJSON:
		return l, l.readJSON()
	case logTCP, logHTTP:
		return l, l.readStandard(f.log == logHTTP)
	}
	return l, nil
}

// readOurs reads a line in the format ourTCP or ourHTTP.
func (l *simLine) readOurs(http bool) error {
	words := strings.SplitN(l.text, " ", 13)
	if len(words) < 9 || http && len(words) < 13 {
		return fmt.Errorf("has %d words", len(words))
	}
	l.setClient(words[0])
	l.back, l.server, l.term = words[2], words[3], words[7]
	times := strings.Split(words[4], "/")
	if http {
		l.head = number(times[1])
		times = times[2:]
	}
	l.tw, l.tc, l.all = number(times[0]), number(times[1]), number(times[len(times)-1])
	l.bytes, l.uploaded = number(words[5]), number(words[6])
	l.setRetries(words[8])
	if http {
		l.tr, l.status = number(times[2]), int(number(words[9]))
		l.request = lastQuoted(l.text)
	}
	return nil
}

// readStandard reads a line in the format of option tcplog or option httplog.
func (l *simLine) readStandard(http bool) error {
	words := strings.Split(l.text, " ")
	least := 8
	if http {
		least = 12
	}
	if len(words) < least {
		return fmt.Errorf("has %d words", len(words))
	}
	l.setClient(words[0])
	l.back, l.server, _ = strings.Cut(words[3], "/")
	times := strings.Split(words[4], "/")
	l.all = number(times[len(times)-1])
	if !http {
		l.tw, l.tc, l.bytes, l.term = number(times[0]), number(times[1]), number(words[5]), words[6]
		l.setRetries(words[7])
		return nil
	}
	l.head, l.tw, l.tc, l.tr = number(times[0]), number(times[1]), number(times[2]), number(times[3])
	l.status, l.bytes, l.term = int(number(words[5])), number(words[6]), words[9]
	l.setRetries(words[10])
	l.request = lastQuoted(l.text)
	return nil
}

// jsonLine contains the fields of log-format json that are checked.
type jsonLine struct {
	Client          string
	Port            int `json:"client_port"`
	Frontend        string
	Backend, Server *string
	Treq            *int64
	Tw, Tc, Tr      *int64
	Ta, Tt          *int64
	Bytes, Uploaded int64
	Term            string
	Retries         int
	Redispatched    bool
	Status          *int
	Method          *string
	URI             *string
	Version         *string
}

func (l *simLine) readJSON() error {
	var j jsonLine
	if err := json.NewDecoder(bytes.NewReader([]byte(l.text))).Decode(&j); err != nil {
		return err
	}
	l.setClient(fmt.Sprint(j.Client, ":", j.Port))
	l.back, l.server, l.term = or(j.Backend, j.Frontend), or(j.Server, "<NOSRV>"), j.Term
	l.head = or(j.Treq, -1)
	l.tw, l.tc, l.tr, l.all = or(j.Tw, -1), or(j.Tc, -1), or(j.Tr, -1), or(j.Ta, or(j.Tt, -1))
	l.bytes, l.uploaded = j.Bytes, j.Uploaded
	l.retries, l.redispatched = j.Retries, j.Redispatched
	if len(j.Term) == 4 {
		l.status = or(j.Status, -1)
		l.request = badRequestLine
		if j.Method != nil {
			l.request = *j.Method + " " + or(j.URI, "") + " " + or(j.Version, "")
		}
	}
	return nil
}

// or returns the value; for nil, another one.
func or[T any](value *T, other T) T {
	if value == nil {
		return other
	}
	return *value
}

// number returns the value of a decimal number; -9: the text is no number.
func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return -9
	}
	return n
}

func (l *simLine) setClient(text string) { l.client, _ = netip.ParseAddrPort(text) }

// setRetries reads the retries, which are the last of the counts of connections.
func (l *simLine) setRetries(counts string) {
	text := counts[strings.LastIndexByte(counts, '/')+1:]
	rest, redispatched := strings.CutPrefix(text, "+")
	l.retries, l.redispatched = int(number(rest)), redispatched
}

// lastQuoted returns the quoted text at the end of a line. A request line contains no quote.
func lastQuoted(text string) string {
	text = strings.TrimSuffix(text, `"`)
	return text[strings.LastIndexByte(text, '"')+1:]
}
