package site

import (
	"cmp"
	"time"

	"sluice/conf"
	"sluice/engine/access"
	"sluice/engine/acl"
	"sluice/pool"
)

// firstID is the number of the first proxy in `show stat`, as in HAProxy.
const firstID = 2

// defaultInspect is the maximum time for a client to send the bytes that rules need. It is used
// if the configuration has neither inspect-delay nor timeout http-request.
const defaultInspect = 5 * time.Second

// Frontend is a compiled frontend. Timeouts are in milliseconds; 0 means no timeout.
type Frontend struct {
	*pool.Frontend // counters and limit; nil before Share

	Conf  *conf.Frontend
	ID    int          // number of the frontend, `iid` of show stat; from 2
	Index int          // index in Site.Frontends
	Rules *acl.Program // all rules of the frontend
	Needs acl.Needs    // input that the rules need

	Route access.Route   // log targets; None before Open
	Line  *access.Format // log-format; nil: one of the fixed formats

	ClientTimeout    int64 // timeout client
	ClientFinTimeout int64 // timeout client-fin
	InspectTimeout   int64 // maximum time in the inspecting state; above 0
	RequestTimeout   int64 // timeout http-request, otherwise timeout client
	KeepAliveTimeout int64 // timeout http-keep-alive, otherwise RequestTimeout

	Lenient  bool           // inspect-delay is set: at its end the rules decide on the bytes present
	ConnMode conf.ConnMode  // when connections are closed
	Errors   map[int][]byte // complete answers that replace error pages, by status
}

// newFrontend compiles a frontend with its number for `show stat`. It returns nil if the problems
// contain an error.
func newFrontend(id int, c *conf.Config, f *conf.Frontend, out Outside) (*Frontend, conf.Problems) {
	rules, problems := acl.Compile(out.Files, c, f)
	out.checkLog(f.Log.Targets, f.Pos, &problems)
	if problems.Err() != nil {
		return nil, problems
	}
	t := f.Timeout
	return &Frontend{
		Conf:  f,
		ID:    id,
		Index: id - firstID,
		Rules: rules,
		Needs: rules.Needs(),
		Line:  access.NewFormat(f.Log.Line),

		ClientTimeout:    t.Client.Milliseconds(),
		ClientFinTimeout: t.ClientFin.Milliseconds(),
		InspectTimeout:   inspectTimeout(f).Milliseconds(),
		RequestTimeout:   cmp.Or(t.HTTPRequest, t.Client).Milliseconds(),
		KeepAliveTimeout: cmp.Or(t.HTTPKeepAlive, t.HTTPRequest, t.Client).Milliseconds(),

		Lenient:  f.InspectDelay > 0,
		ConnMode: f.Conn,
		Errors:   errorFiles(f.ErrorFiles),
	}, problems
}

// inspectTimeout returns the maximum time for the first bytes that rules need. Without inspect-delay
// it is at most timeout client: a silent client, whose server may have to send first, is not kept
// longer than it may be silent.
func inspectTimeout(f *conf.Frontend) time.Duration {
	if f.InspectDelay > 0 {
		return f.InspectDelay
	}
	most := cmp.Or(f.Timeout.HTTPRequest, defaultInspect)
	if client := f.Timeout.Client; client > 0 {
		return min(most, client)
	}
	return most
}

// Owns reports whether the frontend and the backend are the two halves of one listen section. The
// rules of such a section are evaluated once only, as those of the frontend.
func (f *Frontend) Owns(b *Backend) bool {
	return f.Conf.Listen && b.Conf.Listen && f.Conf.Name == b.Name
}
