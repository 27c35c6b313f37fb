package conf

import "time"

// server parses `server NAME ADDRESS [param...]` (configuration.txt 5.2).
func (r *reader) server() {
	s := r.p.template
	s.Pos, s.Name = r.at, r.next()
	if fault := nameFault(s.Name); fault != "" {
		r.errorf("%s", fault)
		return
	}
	r.name += " " + s.Name
	var err error
	if s.Address, err = parseServer(r.next()); err != nil {
		r.errorf("%s", err)
		return
	}
	if r.serverParams(&s) {
		if s.TFO && s.Address.Net != NetTCP {
			r.warnf("'tfo': ignored, it is for addresses with a port")
			s.TFO = false
		}
		r.p.back.Servers = append(r.p.back.Servers, &s)
	}
}

func (r *reader) defaultServer() { r.serverParams(&r.p.template) }

// serverMarks are the parameters without an argument, and their opposites.
var serverMarks = map[string]func(*Server){
	"backup":    func(s *Server) { s.Backup = true },
	"no-backup": func(s *Server) { s.Backup = false },
	"check":     func(s *Server) { s.Check = true },
	"no-check":  func(s *Server) { s.Check = false },
	"disabled":  func(s *Server) { s.Disabled = true },
	"enabled":   func(s *Server) { s.Disabled = false },
	"tfo":       func(s *Server) { s.TFO = true },
	"no-tfo":    func(s *Server) { s.TFO = false },
}

// serverTimes are the parameters with a time.
var serverTimes = map[string]func(*Server) *time.Duration{
	"inter":     func(s *Server) *time.Duration { return &s.Inter },
	"fastinter": func(s *Server) *time.Duration { return &s.FastInter },
	"downinter": func(s *Server) *time.Duration { return &s.DownInter },
}

var serverWords = append([]string{"weight", "rise", "fall", "cookie"}, append(keysOf(serverMarks), keysOf(serverTimes)...)...)

func (r *reader) serverParams(s *Server) bool {
	for len(r.args) > 0 {
		word := r.next()
		mark, isMark := serverMarks[word]
		field, isTime := serverTimes[word]
		switch {
		case isMark:
			mark(s)
		case isTime:
			r.interval(word, field(s))
		case !r.serverParam(word, s):
			r.errorf("'%s': not supported%s", word, whyNot(word, serverWords))
			return false
		}
	}
	return true
}

// interval parses a time between checks. It must be above 0.
func (r *reader) interval(word string, into *time.Duration) {
	var d time.Duration
	arg := r.next()
	r.duration(word, arg, &d)
	if d > 0 {
		*into = d
	} else if arg != "" && arg[0] == '0' {
		r.errorf("%s, wanted a time greater than 0", after(word, arg))
	}
}

func (r *reader) serverParam(word string, s *Server) bool {
	switch word {
	case "weight":
		r.atoi(word, r.next(), 0, 256, &s.Weight)
	case "rise":
		r.atoi(word, r.next(), 1, maxCount, &s.Rise)
	case "fall":
		r.atoi(word, r.next(), 1, maxCount, &s.Fall)
	case "cookie":
		value := r.next()
		if !isToken(value) {
			r.errorf("%s, wanted a value of letters, digits and marks without blanks", after(word, value))
			return true
		}
		s.Cookie = value
	case "id":
		r.next()
	default:
		return false
	}
	return true
}
