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

// inOwnWords replaces each answer by how a proxy words it that reads answers:
// HAProxy writes names in lower case, and says itself that a connection ends.
// It must mean what the origin said; then the load compares every byte with it.
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

// ask returns every byte of the answer, and of what follows it if the
// connection is not kept.
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

// sameMeaning compares status, fields and body. Connection is left out: it is
// about one connection, and the answer goes over two.
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

// meaning has whatever follows the answer in its body, too.
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
