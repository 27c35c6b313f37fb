package acl

import (
	"crypto/tls"
	"io"
	"net"
	"testing"
)

// hello is the facts of the hello that crypto/tls sends.
func hello(t testing.TB, name string, protocols ...string) *Facts {
	t.Helper()
	return sniffed(helloBytes(t, name, protocols...))
}

func helloBytes(t testing.TB, name string, protocols ...string) []byte {
	t.Helper()
	client, server := net.Pipe()
	config := &tls.Config{ServerName: name, NextProtos: protocols, InsecureSkipVerify: name == ""}
	done := make(chan error, 1)
	go func() { done <- tls.Client(client, config).Handshake() }()
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
