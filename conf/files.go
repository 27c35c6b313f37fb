package conf

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strconv"
)

// largestAnswer is the limit in bytes for a file that is sent to clients. It is enough for an error
// page, and small enough to be written to a client at once.
const largestAnswer = 64 << 10

// readAnswer reads a file that is sent to clients. It refuses special files, as [Disk] does, and
// reads /dev/null as an empty file.
func readAnswer(files fs.FS, path string) ([]byte, error) {
	if path == os.DevNull {
		return nil, nil
	}
	info, err := fs.Stat(files, path)
	switch {
	case err != nil:
		return nil, cause(err)
	case !info.Mode().IsRegular():
		return nil, ErrSpecial
	case info.Size() > largestAnswer:
		return nil, fmt.Errorf("has %d bytes, wanted at most %d", info.Size(), largestAnswer)
	}
	data, err := fs.ReadFile(files, path)
	return data, cause(err)
}

// cause returns the error without the path, because the message already names it.
func cause(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	return err
}

// file reads a file that is sent to clients. If that fails, it reports an error only for a proxy in
// mode http.
func (r *reader) file(path string) ([]byte, bool) {
	if path == "" {
		r.errorf("nothing follows, wanted the path of a file")
		return nil, false
	}
	data, err := readAnswer(r.files, path)
	if err != nil {
		r.deferUntilMode("file '%s': %s", path, err)
		return nil, false
	}
	return data, true
}

// response reads a file that contains a whole HTTP response or nothing.
func (r *reader) response(path string) ([]byte, bool) {
	data, ok := r.file(path)
	if !ok || len(data) == 0 {
		return nil, ok
	}
	status, body, ok := splitResponse(data)
	switch {
	case !ok:
		r.deferUntilMode("file '%s', wanted an HTTP response: a line such as HTTP/1.0 503 Service Unavailable, headers, an empty line and the page", path)
	case status < 200:
		r.deferUntilMode("file '%s': status %d, wanted 200 or above: the client would wait for another answer", path, status)
		ok = false
	case Bodyless(status) && len(body) > 0:
		r.deferUntilMode("file '%s': a page of %d bytes with status %d, wanted none: the client would read it as the next answer", path, len(body), status)
		ok = false
	}
	head := data[:len(data)-len(body)]
	if told, fits := fitsBody(head, len(body)); ok && !fits && !Bodyless(status) {
		r.deferUntilMode("file '%s': '%s' and a page of %d bytes, wanted Content-Length: %d or no such header", path, told, len(body), len(body))
		ok = false
	}
	return append(cleanHead(head), body...), ok
}

// fitsBody reports whether a head says nothing else about its body than the true length. Otherwise
// it returns the line that does.
func fitsBody(head []byte, length int) (line []byte, ok bool) {
	for line := range bytes.Lines(head) {
		line = bytes.TrimSpace(line)
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("transfer-encoding")):
			return line, false
		case bytes.EqualFold(name, []byte("content-length")) && string(value) != strconv.Itoa(length):
			return line, false
		}
	}
	return nil, true
}

// cleanHead ends each line of a head with CRLF, as HAProxy does, because a strict client refuses LF
// alone. It removes Connection unless that is close, because the connection ends after the file.
func cleanHead(head []byte) []byte {
	clean := make([]byte, 0, 2*len(head))
	for line := range bytes.Lines(head) {
		line = bytes.TrimRight(line, "\r\n")
		name, value, _ := bytes.Cut(line, []byte(":"))
		if !bytes.EqualFold(name, []byte("connection")) || bytes.EqualFold(bytes.TrimSpace(value), []byte("close")) {
			clean = append(append(clean, line...), "\r\n"...)
		}
	}
	return clean
}

var (
	statusLine = regexp.MustCompile(`^HTTP/1\.[0-9] ([1-9][0-9][0-9])[ \r\n]`)
	emptyLine  = regexp.MustCompile(`\n\r?\n`)
)

// splitResponse returns the status and the body of an HTTP/1 response. It returns false if the
// status line is invalid or if no empty line ends the head.
func splitResponse(data []byte) (status int, body []byte, ok bool) {
	line, end := statusLine.FindSubmatch(data), emptyLine.FindIndex(data)
	if line == nil || end == nil {
		return 0, nil, false
	}
	status, _ = strconv.Atoi(string(line[1]))
	return status, data[end[1]:], true
}
