package conf

import "strconv"

// bind parses `bind ADDRESS[,ADDRESS...] [param...]` (configuration.txt 5.1).
func (r *reader) bind() {
	address := r.next()
	if address == "" {
		r.errorf("nothing follows, wanted ADDRESS:PORT or a UNIX socket")
		return
	}
	addrs, err := parseBind(address)
	if err != nil {
		r.errorf("%s", err)
		return
	}
	b := Bind{Pos: r.at, UID: -1, GID: -1}
	v4v6, v6only := false, false
	for len(r.args) > 0 {
		switch word := r.next(); word {
		case "v4v6":
			v4v6 = true
		case "v6only":
			v6only = true
		default:
			if !r.bindParam(word, &b) {
				r.errorf("'%s' at %s: not supported%s", word, address, whyNot(word, bindWords))
				return
			}
		}
	}
	for _, a := range addrs {
		b.Address = a
		if b.TFO && a.Net != NetTCP {
			r.warnf("'tfo' at %s: ignored, it is for addresses with a port", address)
			b.TFO = false
		}
		b.Address.V4V6, b.Address.V6Only = v4v6, v6only
		r.p.front.Binds = append(r.p.front.Binds, b)
	}
}

var bindWords = []string{"name", "maxconn", "backlog", "mode", "user", "group", "uid", "gid", "v4v6", "v6only", "tfo"}

func (r *reader) bindParam(word string, b *Bind) bool {
	switch word {
	case "name":
		b.Name = r.next()
		if fault := nameFault(b.Name); fault != "" {
			r.errorf("%s", fault)
		}
	case "maxconn":
		r.atoi(word, r.next(), 0, maxCount, &b.MaxConn)
	case "backlog":
		r.atoi(word, r.next(), 0, maxCount, &b.Backlog)
	case "tfo":
		b.TFO = true
	case "id":
		r.next()
	case "process", "thread", "shards", "nice":
		r.warnf("'%s %s' is ignored, every event loop listens", word, r.next())
	default:
		return r.access(word, access{&b.Mode, &b.User, &b.Group, &b.UID, &b.GID})
	}
	return true
}

// access points to the variables for the owner and the file mode of a UNIX socket.
type access struct {
	mode        *uint32
	user, group *string
	uid, gid    *int
}

// access parses one parameter about the owner or mode of a UNIX socket. It returns false if word is
// another parameter.
func (r *reader) access(word string, a access) bool {
	switch word {
	case "mode":
		arg := r.next()
		n, err := strconv.ParseUint(arg, 8, 12)
		if err != nil || n == 0 {
			r.errorf("%s, wanted an octal file mode such as 660", after(word, arg))
			return true
		}
		*a.mode = uint32(n)
	case "user":
		r.owner(word, a.user)
	case "group":
		r.owner(word, a.group)
	case "uid":
		r.atoi(word, r.next(), 0, maxCount, a.uid)
	case "gid":
		r.atoi(word, r.next(), 0, maxCount, a.gid)
	default:
		return false
	}
	return true
}

func (r *reader) owner(word string, into *string) {
	arg := r.next()
	if !isToken(arg) {
		r.errorf("%s, wanted the name of a %s", after(word, arg), word)
		return
	}
	*into = arg
}
