package sniff

import (
	"encoding/json"
	"testing"
)

func TestDescribe(t *testing.T) {
	none := `"sni":"","alpn":[],"host":"","method":"","path":"","version":""`
	for _, c := range []struct {
		what string
		data []byte
		want string
	}{
		{"nothing", nil, `{"verdict":"more","proto":"",` + none + `}`},
		{"noise", []byte{0}, `{"verdict":"no","proto":"",` + none + `}`},
		{"preface", []byte("PRI * HTTP/2.0\r\n\r\n"), `{"verdict":"no","proto":"",` + none +
			`,"note":"HTTP/2 with prior knowledge, which is not looked into"}`},
		{"head", []byte("GET /a?b HTTP/1.1\r\nHost: A.example:80\r\n\r\n"), `{"verdict":"yes","proto":"http",` +
			`"sni":"","alpn":[],"host":"A.example:80","method":"GET","path":"/a","version":"HTTP/1.1"}`},
		{"two framings", []byte("GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
			`{"verdict":"yes","proto":"http","sni":"","alpn":[],"host":"","method":"GET","path":"/","version":"HTTP/1.1",` +
				`"note":"content-length and transfer-encoding contradict each other"}`},
		{"hello", helloOf(host("A.example"), alpn("h2", "http/1.1"), extension(extECH, nil)), `{"verdict":"yes","proto":"tls",` +
			`"sni":"a.example","alpn":["h2","http/1.1"],"host":"","method":"","path":"","version":"TLS1.2","ech":true}`},
		{"bytes of no text", helloOf(host("a\x00b\x1b\xff\xc3\xa4"), alpn("\xfa\xfa")), `{"verdict":"yes","proto":"tls",` +
			`"sni":"a\u0000b\u001b\\xffä","alpn":["\\xfa\\xfa"],"host":"","method":"","path":"","version":"TLS1.2",` +
			`"note":"the sni is not used for routing: it holds bytes that no host name has"}`},
	} {
		got, err := json.Marshal(Describe(c.data))
		if err != nil || string(got) != c.want {
			t.Errorf("%s:\n got %s\nwant %s\n%v", c.what, got, c.want, err)
		}
	}
}

func TestVersionName(t *testing.T) {
	for v, want := range map[uint16]string{0x0300: "SSLv3", 0x0301: "TLS1.0", 0x0304: "TLS1.3", 0x0305: "0x305", 0: "0x0"} {
		if got := versionName(v); got != want {
			t.Errorf("%#x: %s, want %s", v, got, want)
		}
	}
}
