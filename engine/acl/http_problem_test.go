package acl

import (
	"fmt"
	"testing"
)

// TestHTTPProblems checks the exact messages for rules of mode http.
func TestHTTPProblems(t *testing.T) {
	cases := []struct{ line, want string }{
		{`http-request set-header a "%[hdrr(x)]"`, "error: 'http-request set-header' in frontend 'f': unknown fetch 'hdrr'; did you mean 'hdr'?"},
		{`http-request set-header a "%[hdr_end(host)]"`, "error: 'http-request set-header' in frontend 'f': unknown fetch 'hdr_end'; in a value the name stands alone, without _end"},
		{`http-request set-header a "%[path,lowr]"`, "error: 'http-request set-header' in frontend 'f': unknown converter 'lowr', wanted one of field, host_only, length, lower, port_only, upper, word; did you mean 'lower'?"},
		{`http-request set-header a "%[status]"`, "error: 'http-request set-header' in frontend 'f': '%[status]': it looks at the answer, which has not come yet"},
		{`http-response set-header a "%[path]"`, "error: 'http-response set-header' in frontend 'f': '%[path]': it looks at the request, which is gone when the answer comes"},
		{`http-response set-header a %HU`, "error: 'http-response set-header' in frontend 'f': '%HU': it looks at the request, which is gone when the answer comes"},
		{`http-response deny if { path /x }`, "warning: 'http-response deny' in frontend 'f': it looks at the request, which is gone when the answer comes: what it looks for is never there"},
		{`http-response deny if METH_GET`, "error: 'http-response deny' in frontend 'f': it looks at the request, which is gone when the answer comes"},
		{`http-request deny if { res.hdr(x) a }`, "warning: 'http-request deny' in frontend 'f': it looks at the answer, which has not come yet: what it looks for is never there"},
		{`http-request deny if { cook(a,b) a }`, "error: acl '{ cook(a,b) a }' in frontend 'f': 'cook' has the arguments 'a,b', wanted a name or none"},
		{`http-request deny if { urlp(a,bc) a }`, "error: acl '{ urlp(a,bc) a }' in frontend 'f': 'urlp' has the delimiter 'bc', wanted one visible ASCII character"},
		{`http-request deny if { urlp(a,,x) a }`, "error: acl '{ urlp(a,,x) a }' in frontend 'f': 'urlp' has the arguments 'x' behind the delimiter, wanted i or none"},
		{`monitor fail if { nbsrv(b) lt 2 }`, "error: acl '{ nbsrv(b) lt 2 }' in frontend 'f': unknown fetch 'nbsrv'"},
	}
	for _, c := range cases {
		_, found := frontHTTP(t, c.line)
		if want := "x.cfg:9: " + c.want; len(found) != 1 || fmt.Sprint(found[0]) != want {
			t.Errorf("%s\n got %q\nwant %q", c.line, found, want)
		}
	}
}
