package scenario

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"sluice/bench/load"
)

// inOwnWords replaces each expected answer by the answer of this proxy in mode http, because
// proxies change the form of an answer. For example, HAProxy writes field names in lower case,
// and adds `connection: close` itself.
//
// The proxy's answer must have the same meaning as the origin's. Later the load compares every
// byte with the proxy's answer.
func inOwnWords(all []load.Exchange, addr netip.AddrPort) error {
	for i, e := range all {
		said, err := ask(addr, e.Request)
		if err != nil {
			return fmt.Errorf("ask %.40q: %w", e.Request, err)
		}
		if err := sameMeaning(said, e.Answer); err != nil {
			return fmt.Errorf("answer to %.40q: %w", e.Request, err)
		}
		all[i].Answer = said
	}
	return nil
}

// ask sends the request and returns all bytes of the answer. If the connection is not kept, it
// also returns any bytes after the answer.
func ask(addr netip.AddrPort, request []byte) ([]byte, error) {
	c, err := net.Dial("tcp", addr.String())
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return nil, err
	}
	if _, err := c.Write(request); err != nil {
		return nil, err
	}
	var said bytes.Buffer
	r := bufio.NewReader(io.TeeReader(c, &said))
	answer, err := http.ReadResponse(r, nil)
	if err != nil {
		return nil, err
	}
	if _, err = io.Copy(io.Discard, answer.Body); err == nil && answer.Close {
		_, err = io.Copy(io.Discard, r)
	}
	return said.Bytes(), err
}

// sameMeaning returns an error unless status, fields and body are equal. It ignores the field
// Connection, which is different on the two connections of a proxy.
func sameMeaning(got, want []byte) error {
	gotHead, gotBody, gotErr := meaning(got)
	wantHead, wantBody, wantErr := meaning(want)
	if err := errors.Join(gotErr, wantErr); err != nil {
		return err
	}
	if gotHead != wantHead {
		return fmt.Errorf("got %q, wanted %q", gotHead, wantHead)
	}
	if !bytes.Equal(gotBody, wantBody) {
		return fmt.Errorf("got body %.40q, wanted %.40q", gotBody, wantBody)
	}
	return nil
}

// meaning returns the parts of an answer to compare. Bytes after the answer are included in the
// body.
func meaning(said []byte) (head string, body []byte, err error) {
	r := bufio.NewReader(bytes.NewReader(said))
	answer, err := http.ReadResponse(r, nil)
	if err != nil {
		return "", nil, err
	}
	answer.Header.Del("Connection")
	head = answer.Status
	for _, name := range slices.Sorted(maps.Keys(answer.Header)) {
		head += fmt.Sprintf("; %s: %q", name, answer.Header[name])
	}
	body, err = io.ReadAll(answer.Body)
	rest, restErr := io.ReadAll(r)
	return head, append(body, rest...), errors.Join(err, restErr)
}
