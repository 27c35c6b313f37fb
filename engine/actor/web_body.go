package actor

import (
	"bytes"
	"errors"
	"io"
	"strconv"
)

// webBody reads a body, or one direction of a tunnel.
type webBody struct {
	in      *webReader
	framing Framing
	number  int  // number of the request, which chunk extensions and trailers must contain
	left    int  // number of bytes that are not read yet, of the body or of the chunk
	data    bool // a chunk has begun, so CRLF must follow its data
	at      int  // number of data bytes that were read, without framing
	done    bool
}

// bodyOf returns a reader of the body after a head. With none, there is no body, whatever the head
// says. With open, a body without a length ends with the connection.
func (r *webReader) bodyOf(h *webHead, number int, none, open bool) webBody {
	b := webBody{in: r, number: number}
	switch {
	case none:
	case h.chunked:
		b.framing = ByChunks
	case h.length >= 0:
		b.framing, b.left = ByLength, h.length
	case open:
		b.framing = ByEnd
	}
	b.done = b.framing == NoBody || b.framing == ByLength && b.left == 0
	return b
}

// next returns the next data bytes, at most most. They are valid until the next call. The error is
// io.EOF at the end of the body, and io.ErrUnexpectedEOF if the connection ends before.
func (b *webBody) next(most int) ([]byte, error) {
	if b.framing == ByChunks && b.left == 0 && !b.done {
		if err := b.chunk(); err != nil {
			return nil, midway(err)
		}
	}
	if b.done {
		return nil, io.EOF
	}
	if len(b.in.left()) == 0 {
		if err := b.in.fill(); err != nil {
			return nil, b.broken(err)
		}
	}
	n := min(most, len(b.in.left()))
	if b.framing != ByEnd {
		n = min(n, b.left)
		b.left -= n
		b.done = b.framing == ByLength && b.left == 0
	}
	b.at += n
	return b.in.take(n), nil
}

// broken returns the error of next if the connection ends while data is read. Only a body ByEnd may
// end in this way.
func (b *webBody) broken(err error) error {
	if b.framing != ByEnd {
		return midway(err)
	}
	b.done = errors.Is(err, io.EOF)
	return err
}

// chunk reads the bytes between the data of two chunks: the end of one, and the size of the next.
// After the last chunk it reads the trailers.
func (b *webBody) chunk() error {
	if b.data {
		if line, err := b.in.until("\r\n"); err != nil || len(line) > 0 {
			return b.wrong(err, "bytes behind the data of a chunk", line)
		}
	}
	line, err := b.in.until("\r\n")
	if err != nil {
		return err
	}
	text, extension, more := bytes.Cut(line, []byte(";"))
	n, err := strconv.ParseUint(string(text), 16, 62)
	if err != nil || text[0] == '+' || more && string(extension) != "x="+strconv.Itoa(b.number) {
		return b.wrong(nil, "size of a chunk", line)
	}
	b.left, b.data = int(n), true
	if n > 0 {
		return nil
	}
	return b.trailers()
}

func (b *webBody) trailers() error {
	for {
		line, err := b.in.until("\r\n")
		switch {
		case err != nil:
			return err
		case len(line) == 0:
			b.done = true
			return nil
		case string(line) != "X-Trailer: "+strconv.Itoa(b.number):
			return b.wrong(nil, "trailer", line)
		}
	}
}

// wrong returns err; if err is nil, a syntax error about line.
func (b *webBody) wrong(err error, what string, line []byte) error {
	if err != nil {
		return err
	}
	return malformedf("the %s in message %d: %.60q", what, b.number, line)
}
