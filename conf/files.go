package conf

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// largestAnswer is the limit in bytes for a file that is sent to clients. It is enough for an error
// page, and small enough to be written to a client at once.
const largestAnswer = 64 << 10

// readAnswer reads a file that is sent to clients. It refuses special files, because reading one
// may never end. It reads /dev/null as an empty file.
func readAnswer(path string) ([]byte, error) {
	if path == os.DevNull {
		return nil, nil
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, cause(err)
	case !info.Mode().IsRegular():
		return nil, errors.New("is no regular file")
	case info.Size() > largestAnswer:
		return nil, fmt.Errorf("has %d bytes, wanted at most %d", info.Size(), largestAnswer)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, cause(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, largestAnswer))
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
	data, err := readAnswer(path)
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
	crlf, lf := bytes.Contains(data, []byte("\r\n\r\n")), bytes.Contains(data, []byte("\n\n"))
	if !bytes.HasPrefix(data, []byte("HTTP/1.")) || !crlf && !lf {
		r.deferUntilMode("file '%s', wanted an HTTP response: a line such as HTTP/1.0 503 Service Unavailable, headers, an empty line and the page", path)
		return nil, false
	}
	return data, true
}
