package acl

import (
	"crypto/tls"
	"io"
	"net"
	"testing"
)

// hello returns the facts of a ClientHello that crypto/tls sends.
func hello(t testing.TB, name string, protocols ...string) *Facts {
	t.Helper()
	return sniffed(helloBytes(t, name, protocols...))
}

func helloBytes(t testing.TB, name string, protocols ...string) []byte {
	t.Helper()
	client, server := net.Pipe()
	config := &tls.Config{ServerName: name, NextProtos: protocols, InsecureSkipVerify: name == ""}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := tls.Client(client, config).Handshake(); err == nil {
			t.Error("a handshake that nobody answers has succeeded")
		}
	}()
	record := make([]byte, 5)
	if _, err := io.ReadFull(server, record); err != nil {
		t.Fatal(err)
	}
	body := make([]byte, int(record[3])<<8|int(record[4]))
	if _, err := io.ReadFull(server, body); err != nil {
		t.Fatal(err)
	}
	server.Close()
	<-done
	return append(record, body...)
}
