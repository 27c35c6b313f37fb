package conf

import "slices"

// HTTPSettings is what mode http adds to a frontend or a backend. Of a listen
// that serves its own backend each rule runs once: as the frontend's.
type HTTPSettings struct {
	Conn         ConnMode
	ForwardFor   *ForwardFor
	HTTPRequest  []HTTPRule
	HTTPResponse []HTTPRule
	ErrorFiles   []ErrorFile // by status, one of each
}

// ErrorFile returns what is sent instead of our own answer of that status.
func (s *HTTPSettings) ErrorFile(status int) (ErrorFile, bool) {
	i := slices.IndexFunc(s.ErrorFiles, func(e ErrorFile) bool { return e.Status == status })
	if i < 0 {
		return ErrorFile{}, false
	}
	return s.ErrorFiles[i], true
}

// ConnMode says what becomes of the connections behind a response; between the
// two sides the one that keeps less wins (configuration.txt 4, transaction
// modes).
type ConnMode uint8

// The modes. KeepAlive is HAProxy's default.
const (
	KeepAlive   ConnMode = iota // option http-keep-alive: both stay open
	ServerClose                 // option http-server-close: the client's stays open
	HTTPClose                   // option httpclose: both close
)

var connModes = [...]string{KeepAlive: "http-keep-alive", ServerClose: "http-server-close", HTTPClose: "httpclose"}

func (m ConnMode) String() string { return connModes[m] }

// HTTPAction is what an `http-request` or `http-response` rule does.
type HTTPAction uint8

// The actions. Those before SetHeader end the rules of their proxy.
const (
	Allow         HTTPAction = iota // no further rule of this proxy is tried
	Deny                            // Answer
	Return                          // Answer
	RedirectTo                      // Redirect
	SetHeader                       // Name, Value
	AddHeader                       // Name, Value
	DelHeader                       // Name, Match
	ReplaceHeader                   // Name, Regex, Value: whole lines
	ReplaceValue                    // Name, Regex, Value: entries between commas
	SetMethod                       // Value
	SetPath                         // Value; the query stays
	SetPathQ                        // Value: path and query
	SetQuery                        // Value, without the question mark
	SetURI                          // Value
	ReplacePath                     // Regex, Value; the query stays
	ReplacePathQ                    // Regex, Value
	ReplaceURI                      // Regex, Value
	SetStatus                       // Status, Reason
)

// Final reports whether the action ends the rules of its proxy.
func (a HTTPAction) Final() bool { return a < SetHeader }

// HTTPRule is one `http-request` or `http-response` line. Which of the fields
// count says its action.
type HTTPRule struct {
	Pos      Pos
	Action   HTTPAction
	Name     string    // of a header, as written
	Match    string    // how del-header compares names: str (also if empty), beg, end, sub or reg
	Regex    string    // RE2; what of the old value must match
	Value    *Format   // in replace-* rules with back references \0 to \9
	Answer   *Answer   // of Deny and Return; nil, of Deny: as AnswerDefault, with its usual status
	Redirect *Redirect // location, prefix or scheme
	Status   int       // of SetStatus
	Reason   string    // of SetStatus; empty: the usual one
	Cond     *Cond
}

// Answer is a response that no server gave.
type Answer struct {
	Status      int    // 0: not said; 200 of return, 403 of deny, 502 of deny to a response
	ContentType string // empty: none
	Kind        AnswerKind
	File        string  // path, of AnswerFile and AnswerErrorFile
	Content     []byte  // of AnswerFile: the body; of AnswerErrorFile: the whole response; of AnswerString: the body
	Format      *Format // of AnswerFormat
	Headers     []AnswerHeader
}

// AnswerKind says where the body of an Answer comes from.
type AnswerKind uint8

// The kinds.
const (
	AnswerPlain     AnswerKind = iota // no body
	AnswerString                      // string
	AnswerFormat                      // lf-string
	AnswerFile                        // file
	AnswerErrorFile                   // errorfile: head and body as they are sent
	AnswerDefault                     // default-errorfiles: the proxy's errorfile, or our own page of the status
)

// Paged reports whether the answer is the one that the proxy has for the status
// anyway.
func (a *Answer) Paged() bool { return a == nil || a.Kind == AnswerDefault }

// AnswerHeader is one header that an Answer adds.
type AnswerHeader struct {
	Name  string
	Value *Format
}

// Redirect is the rest of a redirect rule (configuration.txt 4.2, redirect).
type Redirect struct {
	Kind        RedirectKind
	To          *Format
	Code        int // 301, 302, 303, 307 or 308
	DropQuery   bool
	AppendSlash bool
	IgnoreEmpty bool   // see Skips
	Cookie      string // NAME or NAME=value of set-cookie or clear-cookie
	ClearCookie bool
}

// Skips reports whether the rule does nothing where To comes out empty: then the
// next rule is tried. `ignore-empty` is of no effect on a prefix or scheme.
func (r *Redirect) Skips() bool { return r.IgnoreEmpty && r.Kind == Location }

// RedirectKind says what To is.
type RedirectKind uint8

// The kinds.
const (
	Location RedirectKind = iota // the whole target
	Prefix                       // what stands before path and query
	Scheme                       // what stands before the host; the path stays
)

var redirectKinds = [...]string{Location: "location", Prefix: "prefix", Scheme: "scheme"}

// AppendCookie appends the value of the Set-Cookie header that the redirect
// sends, or nothing.
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

// ErrorFile is an `errorfile` or `errorloc` line: the response, head and body,
// that replaces our own of a status. Without content the connection is closed
// and nothing said, as with errorfile 408 /dev/null.
type ErrorFile struct {
	Pos      Pos
	Status   int
	File     string // of errorfile: the path
	Location string // of errorloc: the target
	Code     int    // of errorloc: 302 or 303
	Content  []byte
}

// Capture is a header or cookie whose value goes to the log.
type Capture struct {
	Pos  Pos
	Name string // of a cookie: how its name begins, all of it where it ends in '='
	Len  int    // longest value in bytes
}

// Captures are the `capture` lines of a frontend. Their order is that of the
// slots in the log.
type Captures struct {
	Request  []Capture
	Response []Capture
	Cookie   *Capture
}

// Monitor is what answers probes without a server.
type Monitor struct {
	URI  string  // empty: none
	Fail []*Cond // one that holds makes the answer 503 instead of 200
}
