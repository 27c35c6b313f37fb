package pool

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

const (
	maxHead   = 16 << 10 // maximum bytes of an answer that a check reads, as HAProxy's tune.bufsize
	maxReason = 127      // maximum bytes of the reason phrase that are kept, as in HAProxy
	protocol  = "HTTP/"
)

var errNotHTTP = errors.New("not an HTTP response")

// readStatus reads the complete head of an answer and returns its status code and reason phrase. It
// does not wait for the body. Unlike HAProxy it accepts malformed header fields.
//
// It returns errNotHTTP as soon as the first bytes are not "HTTP/". A server of another protocol
// may send few bytes and keep the connection open.
func readStatus(from io.Reader) (code int, reason string, err error) {
	r := bufio.NewReaderSize(io.LimitReader(from, maxHead), maxHead)
	begin, err := r.Peek(len(protocol))
	if err == nil && string(begin) != protocol {
		err = errNotHTTP
	}
	if err != nil {
		return 0, "", err
	}
	line, err := readLine(r)
	if err != nil {
		return 0, "", err
	}
	if code, reason, err = parseStatus(line); err != nil {
		return 0, "", err
	}
	for line != "" {
		if line, err = readLine(r); err != nil {
			return 0, "", err
		}
	}
	return code, reason, nil
}

// readLine returns a line without its line end, LF or CRLF.
func readLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n')
	return strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"), err
}

// parseStatus reads a status line (RFC 9112 section 4):
//
//	HTTP/1.1 200 OK
//
// The reason phrase may be missing, as in the answers of many servers, and also the space
// before it.
func parseStatus(line string) (code int, reason string, err error) {
	version, rest, _ := strings.Cut(line, " ")
	digits, reason, _ := strings.Cut(strings.TrimLeft(rest, " "), " ")
	code, err = strconv.Atoi(digits)
	if err != nil || len(digits) != 3 || code < 100 || !isVersion(version) {
		return 0, "", errNotHTTP
	}
	return code, strings.Trim(reason, " "), nil
}

// isVersion reports whether s is HTTP/ and two digits with a dot between them.
func isVersion(s string) bool {
	v, ok := strings.CutPrefix(s, protocol)
	return ok && len(v) == 3 && isDigit(v[0]) && v[1] == '.' && isDigit(v[2])
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// printable makes a text from a server safe for a log line, as HAProxy does. Double quotes, angle
// brackets and bytes that are not printable ASCII become <XX>, with the byte in hexadecimal.
func printable(words string) string {
	var b strings.Builder
	for _, c := range []byte(words) {
		if c < ' ' || c > '~' || strings.IndexByte(`"<>`, c) >= 0 {
			fmt.Fprintf(&b, "<%02X>", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
