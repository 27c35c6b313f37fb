package sniff_test

import (
	"encoding/json"
	"fmt"
	"os"

	"sluice/sniff"
)

// A head arrives in two pieces. The State continues where the first piece ended.
func ExampleScanner_Sniff() {
	scanner := sniff.NewScanner()
	var state sniff.State
	var facts sniff.Facts

	received := []byte("GET /shop?id=7 HTTP/1.1\r\nHost: www.exam")
	scanner.Sniff(&state, received, &facts)
	fmt.Println(facts.Verdict())

	received = append(received, "ple.org\r\n\r\n"...)
	scanner.Sniff(&state, received, &facts)
	host, _ := facts.HTTP.Host()
	fmt.Printf("%v %v %s %s\n", facts.Verdict(), facts.Proto(), host, facts.HTTP.Path)
	// Output:
	// more
	// yes http www.example.org /shop
}

func ExampleHead_Next() {
	var state sniff.State
	var facts sniff.Facts
	sniff.NewScanner().Sniff(&state, []byte("GET / HTTP/1.1\r\nAccept: */*\r\nX-Tag: a\r\n\r\n"), &facts)
	h := &facts.HTTP
	for name, value, at := h.Next(0); at > 0; name, value, at = h.Next(at) {
		fmt.Printf("%s = %s\n", name, value)
	}
	// Output:
	// Accept = */*
	// X-Tag = a
}

func ExampleDescribe() {
	report := sniff.Describe([]byte("SSH-2.0-OpenSSH_9.6\r\n"))
	_ = json.NewEncoder(os.Stdout).Encode(report)
	// Output:
	// {"verdict":"no","proto":"","sni":"","alpn":[],"host":"","method":"","path":"","version":""}
}
