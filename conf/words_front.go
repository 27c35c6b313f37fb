package conf

import (
	"slices"
	"strings"
)

// capture parses `capture request|response header NAME len N` and `capture cookie NAME len N`.
func (r *reader) capture() {
	what := r.next()
	into := map[string]*[]Capture{"request": &r.p.front.Captures.Request, "response": &r.p.front.Captures.Response}[what]
	switch {
	case into == nil && what != "cookie":
		r.errorf("%s, wanted request header, response header or cookie", shown(what))
		return
	case into != nil && r.next() != "header":
		r.errorf("no 'header' after '%s', wanted capture %s header NAME len N", what, what)
		return
	}
	r.name += " " + what
	c := Capture{Pos: r.at, Name: r.next()}
	if !isToken(strings.TrimSuffix(c.Name, "=")) || into != nil && strings.HasSuffix(c.Name, "=") {
		r.errorf("%s, wanted the name of a header or cookie", shown(c.Name))
		return
	}
	if word := r.next(); word != "len" {
		r.errorf("%s, wanted 'len' and how many bytes to log", after(c.Name, word))
		return
	}
	if !r.atoi("len", r.next(), 1, longestCapture, &c.Len) || !r.end() {
		return
	}
	if into != nil {
		*into = append(*into, c)
		return
	}
	if r.p.front.Captures.Cookie != nil {
		r.errorf("a cookie is captured already, at %s, wanted one", r.p.front.Captures.Cookie.Pos)
		return
	}
	r.p.front.Captures.Cookie = &c
}

// longestCapture is the longest captured value in bytes. It keeps a log line within the limits of
// syslog.
const longestCapture = 8192

func (r *reader) monitorURI() {
	arg, ok := r.only("a path such as /alive")
	if ok && r.visible("it", arg) {
		r.p.front.Monitor.URI = arg
	}
}

func (r *reader) monitor() {
	if word := r.next(); word != "fail" {
		r.errorf("%s, wanted fail and a condition", shown(word))
		return
	}
	r.name += " fail"
	if len(r.args) == 0 {
		r.errorf("nothing follows, wanted if or unless and a condition")
		return
	}
	if cond, ok := r.cond(); ok {
		r.p.front.Monitor.Fail = append(r.p.front.Monitor.Fail, cond)
	}
}

// jsonFormat is the argument of log-format for lines in JSON, one object a line.
const jsonFormat = "json"

func (r *reader) logLine() {
	log := &r.p.front.Log
	if len(r.args) != 1 {
		r.errorf("%d words follow, wanted the format as one: in quotes, or with a backslash before each blank", len(r.args))
		return
	}
	if r.args[0] == jsonFormat {
		log.Format, log.Line = LogJSON, nil
		return
	}
	if line, ok := r.format("format", forLog); ok {
		log.Format, log.Line = LogCustom, line
	}
}

// These variables (configuration.txt 8.2.6) and samples have a meaning in mode http only.
var (
	httpVariables = []string{
		"CC", "CS", "HM", "HP", "HPO", "HQ", "HU", "HV", "Ta", "Ti", "Tq", "TR", "Tr", "hr", "hrl", "hs", "hsl", "r", "tr", "trg", "trl", "tsc",
	}
	httpSamples = []string{"capture.req.method", "capture.req.uri", "capture.req.ver", "status"}
)

// formatMode reports a log-format in mode tcp that logs parts of a request.
func (k *checker) formatMode(f *Frontend) {
	if f.Mode == HTTP || f.Log.Line == nil {
		return
	}
	for _, p := range f.Log.Line.Parts {
		name := ""
		switch {
		case p.Kind == Variable && slices.Contains(httpVariables, p.Text):
			name = p.Text
		case p.Kind == Sample && slices.Contains(httpSamples, p.Expr[0].Name):
			name = "[" + p.Text + "]"
		default:
			continue
		}
		k.problems.Errorf(placeOr(f.At, "log-format", f.Pos), "'log-format' in %s: '%%%s' is about a request, which needs mode http", f.Title(), name)
	}
}

// enoughForJSON is a line length in bytes that is enough for a request and a few captures as JSON.
const enoughForJSON = 4096

// jsonLength warns of targets with a short length, because a JSON line that is cut is invalid.
func (k *checker) jsonLength(f *Frontend) {
	if f.Log.Format != LogJSON {
		return
	}
	for _, t := range f.Log.Targets {
		if t.Length < enoughForJSON {
			k.problems.Warnf(t.Pos, "'log' of %s has 'len %d': a longer line is cut and is no JSON then, wanted 'len %d' or more", f.Title(), t.Length, enoughForJSON)
		}
	}
}
