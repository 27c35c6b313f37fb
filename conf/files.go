package conf

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// largestAnswer is more than a page that stands for an error needs, and little
// enough to be written to a client at once.
const largestAnswer = 64 << 10

// readAnswer reads a file that is sent to clients. Special files are refused,
// as reading one may never end; /dev/null is the empty file.
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

// cause is the error without the path, which the message has already.
func cause(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	return err
}

// file reads the file of an answer. That it can't be read matters to a proxy
// in mode http only.
func (r *reader) file(path string) ([]byte, bool) {
	if path == "" {
		r.errorf("nothing follows, wanted the path of a file")
		return nil, false
	}
	data, err := readAnswer(path)
	if err != nil {
		r.needed("file '%s': %s", path, err)
		return nil, false
	}
	return data, true
}

// response reads a file with a whole HTTP response, or an empty one.
func (r *reader) response(path string) ([]byte, bool) {
	data, ok := r.file(path)
	if !ok || len(data) == 0 {
		return nil, ok
	}
	crlf, lf := bytes.Contains(data, []byte("\r\n\r\n")), bytes.Contains(data, []byte("\n\n"))
	if !bytes.HasPrefix(data, []byte("HTTP/1.")) || !crlf && !lf {
		r.needed("file '%s', wanted an HTTP response: a line such as HTTP/1.0 503 Service Unavailable, headers, an empty line and the page", path)
		return nil, false
	}
	return data, true
}
