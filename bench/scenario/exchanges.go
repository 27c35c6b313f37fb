package scenario

import (
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"

	"sluice/bench/load"
	"sluice/bench/origin"
	"sluice/bench/peer"
)

// kind is the kind of requests that clients send.
type kind int

const (
	short kind = iota // one HTTP request per connection
	kept              // HTTP requests over connections that are kept
	hello             // one TLS hello per connection
	drip              // the head of a request whose body is never complete
)

// exchanges returns the requests that a proxy gets, and the answers that it must give. Host
// names occur in an order that looks random and is always the same.
func exchanges(k kind, r *peer.Running) ([]load.Exchange, error) {
	names := max(1, r.Site.Rules)
	all := make([]load.Exchange, names)
	order := rand.New(rand.NewPCG(1, 2)).Perm(names)
	for at, i := range order {
		site := 0
		if r.Routes(r.Site.Route) {
			site = peer.Of(i)
		}
		sent, err := request(k, peer.Name(i))
		if err != nil {
			return nil, err
		}
		all[at] = load.Exchange{Request: sent, Answer: answer(k, site)}
	}
	return all, nil
}

func answer(k kind, site int) []byte {
	if k == hello {
		return origin.Flight(site)
	}
	return origin.Answer(site, k == short)
}

func request(k kind, name string) ([]byte, error) {
	const agent = "User-Agent: bench\r\nAccept: */*\r\n"
	switch k {
	case short:
		return []byte("GET / HTTP/1.1\r\nHost: " + name + "\r\n" + agent + "Connection: close\r\n\r\n"), nil
	case kept:
		return []byte("GET / HTTP/1.1\r\nHost: " + name + "\r\n" + agent + "\r\n"), nil
	case drip:
		return []byte("POST / HTTP/1.1\r\nHost: " + name + "\r\n" + agent + "Content-Length: 1000000\r\n\r\n"), nil
	}
	template, err := madeHello()
	if err != nil {
		return nil, err
	}
	// All names have the same length, so no length field of the hello changes.
	return []byte(strings.Replace(template, peer.Name(0), name, 1)), nil
}

// madeHello returns a hello of crypto/tls for the first name.
var madeHello = sync.OnceValues(func() (string, error) {
	client, server := net.Pipe()
	defer server.Close()
	go func() {
		defer client.Close()
		// It fails, because there is no answer.
		_ = tls.Client(client, &tls.Config{ServerName: peer.Name(0), NextProtos: []string{"h2", "http/1.1"}}).Handshake()
	}()
	buffer := make([]byte, 16<<10)
	n, err := server.Read(buffer)
	if err != nil {
		return "", fmt.Errorf("make a TLS hello: %w", err)
	}
	return string(buffer[:n]), nil
})
