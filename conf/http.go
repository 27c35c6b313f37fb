package conf

import "slices"

// HTTPSettings holds the settings of a frontend or a backend that need mode http. In a listen
// section that uses its own backend, each rule runs once: as a rule of the frontend.
type HTTPSettings struct {
	Conn         ConnMode
	ForwardFor   *ForwardFor
	HTTPRequest  []HTTPRule
	HTTPResponse []HTTPRule
	ErrorFiles   []ErrorFile // sorted by status; at most one for each status
}

// ErrorFile returns the answer that replaces our own answer of that status, if there is one.
func (s *HTTPSettings) ErrorFile(status int) (ErrorFile, bool) {
	i := slices.IndexFunc(s.ErrorFiles, func(e ErrorFile) bool { return e.Status == status })
	if i < 0 {
		return ErrorFile{}, false
	}
	return s.ErrorFiles[i], true
}

// ConnMode says which connections stay open after an answer. If frontend and backend differ, the
// mode that keeps less applies (configuration.txt 4, transaction modes).
type ConnMode uint8

// The modes. KeepAlive is HAProxy's default.
const (
	KeepAlive   ConnMode = iota // option http-keep-alive: both connections stay open
	ServerClose                 // option http-server-close: only the client's connection stays open
	HTTPClose                   // option httpclose: both connections are closed
)

var connModes = [...]string{KeepAlive: "http-keep-alive", ServerClose: "http-server-close", HTTPClose: "httpclose"}

func (m ConnMode) String() string { return connModes[m] }

// HTTPAction is the action of an `http-request` or `http-response` rule.
type HTTPAction uint8

// The actions, with the fields of HTTPRule that they use. The actions before SetHeader end the
// rules of their proxy.
const (
	Allow         HTTPAction = iota // no field; ends the rules of this proxy
	Deny                            // Answer
	Return                          // Answer
	RedirectTo                      // Redirect
	SetHeader                       // Name, Value
	AddHeader                       // Name, Value
	DelHeader                       // Name, Match
	ReplaceHeader                   // Name, Regex, Value; matches whole field values
	ReplaceValue                    // Name, Regex, Value; matches the entries between commas
	SetMethod                       // Value
	SetPath                         // Value; the query stays unchanged
	SetPathQ                        // Value, which may contain a query
	SetQuery                        // Value, without the question mark
	SetURI                          // Value
	ReplacePath                     // Regex, Value; the query stays unchanged
	ReplacePathQ                    // Regex, Value
	ReplaceURI                      // Regex, Value
	SetStatus                       // Status, Reason
)

// Final reports whether the action ends the rules of its proxy.
func (a HTTPAction) Final() bool { return a < SetHeader }

// HTTPRule is one `http-request` or `http-response` directive. Action decides which of the other
// fields are used.
type HTTPRule struct {
	Pos      Pos
	Action   HTTPAction
	Name     string    // name of a header field, as written
	Match    string    // how del-header compares names: str, beg, end, sub or reg; empty: str
	Regex    string    // RE2 expression that the old value must match
	Value    *Format   // value to write; in replace-* rules a template with back references \0 to \9
	Answer   *Answer   // for Deny and Return; nil: Deny sends the error page of status 403, or of 502 for an answer
	Redirect *Redirect // location, prefix or scheme
	Status   int       // for SetStatus
	Reason   string    // for SetStatus; empty: the usual reason phrase
	Cond     *Cond
}

// Answer is an answer that the load balancer gives without a server.
type Answer struct {
	Status      int    // 0: the default, which is 200 for return, 403 for deny, 502 for deny in http-response
	ContentType string // empty: no Content-Type field
	Kind        AnswerKind
	File        string  // path, for AnswerFile and AnswerErrorFile
	Content     []byte  // body, for AnswerString and AnswerFile; the whole answer, for AnswerErrorFile
	Format      *Format // for AnswerFormat
	Headers     []AnswerHeader
}

// AnswerKind is the source of the body of an Answer.
type AnswerKind uint8

// The kinds.
const (
	AnswerPlain     AnswerKind = iota // no body
	AnswerString                      // string
	AnswerFormat                      // lf-string
	AnswerFile                        // file
	AnswerErrorFile                   // errorfile: head and body are sent as they are in the file
	AnswerDefault                     // default-errorfiles: the proxy's errorfile for the status, or our own error page
)

// Bodyless reports whether an answer with that status has no body, even if its fields announce one
// (RFC 9112 6.3).
func Bodyless(status int) bool { return status < 200 || status == 204 || status == 304 }

// Paged reports whether the answer is the proxy's usual error page of the status.
func (a *Answer) Paged() bool { return a == nil || a.Kind == AnswerDefault }

// AnswerHeader is one header field that an Answer adds.
type AnswerHeader struct {
	Name  string
	Value *Format
}

// Redirect holds the arguments of a redirect rule (configuration.txt 4.2, redirect).
type Redirect struct {
	Kind        RedirectKind
	To          *Format
	Code        int // 301, 302, 303, 307 or 308
	DropQuery   bool
	AppendSlash bool
	IgnoreEmpty bool   // ignore-empty; see Skips
	Cookie      string // argument of set-cookie or clear-cookie, NAME or NAME=value; empty: none
	ClearCookie bool
}

// Skips reports whether the rule is skipped if To evaluates to an empty text. `ignore-empty` has no
// effect on a prefix or scheme.
func (r *Redirect) Skips() bool { return r.IgnoreEmpty && r.Kind == Location }

// RedirectKind is the meaning of To.
type RedirectKind uint8

// The kinds.
const (
	Location RedirectKind = iota // the whole target
	Prefix                       // the text before path and query
	Scheme                       // the scheme; the host and the path are kept
)

var redirectKinds = [...]string{Location: "location", Prefix: "prefix", Scheme: "scheme"}

// AppendCookie appends the value of the Set-Cookie field of the redirect, or nothing if it sets no
// cookie.
func (r *Redirect) AppendCookie(dst []byte) []byte {
	if r.Cookie == "" {
		return dst
	}
	dst = append(append(dst, r.Cookie...), "; path=/;"...)
	if r.ClearCookie {
		dst = append(dst, " Max-Age=0;"...)
	}
	return dst
}

// ErrorFile is an `errorfile` or `errorloc` directive: an answer, head and body, that replaces our
// own answer of a status. If Content is empty, the connection is closed without an answer, as with
// errorfile 408 /dev/null.
type ErrorFile struct {
	Pos      Pos
	Status   int
	File     string // for errorfile: the path
	Location string // for errorloc: the target
	Code     int    // for errorloc: 302 or 303; 0: errorfile
	Content  []byte
}

// Capture is a header field or a cookie whose value is logged.
type Capture struct {
	Pos  Pos
	Name string // name of the header field; for a cookie: the start of its name, or the whole name if Name ends in '='
	Len  int    // longest value in bytes; longer values are cut
}

// Captures are the `capture` directives of a frontend. Their order is the order of the values in
// the log.
type Captures struct {
	Request  []Capture
	Response []Capture
	Cookie   *Capture
}

// Monitor holds the settings of the monitor URI, which is answered without a server.
type Monitor struct {
	URI  string  // path; empty: no monitor URI
	Fail []*Cond // if one of these conditions is true, the answer is 503 in place of 200
}
