package diff

import "sluice/conf"

// directive says how the lines of a directive are compared.
type directive struct {
	kind  Kind
	keyed bool // the first parameter belongs to the item, as in `server s1`
}

// directives are those that are keyed or of another kind than Setting.
var directives = map[string]directive{
	"bind":            {Bind, true},
	"server":          {Server, true},
	"acl":             {Rule, true},
	"monitor":         {Rule, true},
	"tcp-request":     {Rule, true},
	"http-request":    {Rule, false},
	"http-response":   {Rule, false},
	"use_backend":     {Rule, false},
	"default_backend": {Rule, false},
	"maxconn":         {Limit, false},
	"backlog":         {Limit, false},
	"ulimit-n":        {Limit, false},
	"buffer_budget":   {Limit, false},
	"timeout":         {Timeout, true},
	"stats timeout":   {Timeout, false},
	"log":             {Log, true},
	"log-tag":         {Log, false},
	"log-format":      {Log, false},
	"capture":         {Log, true},
	"option":          {Option, true},
	"cookie":          {Cookie, false},
	"errorfile":       {ErrorFile, true},
	"errorloc302":     {ErrorFile, true},
	"errorloc303":     {ErrorFile, true},
	"stats socket":    {StatsSocket, true},
	"http-check":      {Setting, true},
}

// itemKinds are the items of another kind than their directive.
var itemKinds = map[string]Kind{
	"tcp-request inspect-delay":  Timeout,
	"option tcplog":              Log,
	"option httplog":             Log,
	"option dontlognull":         Log,
	"option dontlog-normal":      Log,
	"option log-separate-errors": Log,
}

// lists are the items that are lists of lines, in an order that decides.
var lists = map[string]bool{
	"tcp-request connection":  true,
	"tcp-request content":     true,
	"http-request":            true,
	"http-response":           true,
	"use_backend":             true,
	"capture request header":  true,
	"capture response header": true,
}

// itemOf returns what a line is about.
func itemOf(l conf.Line) string {
	if directives[l.Name].keyed {
		return conf.Line{Name: l.Name, Params: l.Params[:1]}.String()
	}
	return l.Name
}

func kindOf(l conf.Line, item string) Kind {
	if kind, ok := itemKinds[item]; ok {
		return kind
	}
	if d, ok := directives[l.Name]; ok {
		return d.kind
	}
	return Setting
}

// items are the lines of a section by item, and the items in the order of their first lines.
type items struct {
	order []string
	lines map[string][]conf.Line
}

func itemsOf(lines []conf.Line) items {
	all := items{lines: make(map[string][]conf.Line)}
	for _, l := range lines {
		item := itemOf(l)
		if all.lines[item] == nil {
			all.order = append(all.order, item)
		}
		all.lines[item] = append(all.lines[item], l)
	}
	return all
}
