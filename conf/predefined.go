package conf

import (
	"strings"
	"sync"
)

// predefined are the ACLs that HAProxy defines without a declaration (configuration.txt 7.4).
const predefined = `
FALSE always_false
HTTP req.proto_http
HTTP_1.0 req.ver 1.0
HTTP_1.1 req.ver 1.1
HTTP_2.0 req.ver 2.0
HTTP_CONTENT req.hdr_val(content-length) gt 0
HTTP_URL_ABS url_reg ^[^/:]*://
HTTP_URL_SLASH url_beg /
HTTP_URL_STAR url *
LOCALHOST src 127.0.0.1/8 ::1
METH_CONNECT method CONNECT
METH_DELETE method DELETE
METH_GET method GET HEAD
METH_HEAD method HEAD
METH_OPTIONS method OPTIONS
METH_POST method POST
METH_PUT method PUT
METH_TRACE method TRACE
RDP_COOKIE req.rdp_cookie_cnt gt 0
REQ_CONTENT req.len gt 0
TRUE always_true
WAIT_END wait_end
`

var predefinedACLs = sync.OnceValue(func() map[string]*ACL {
	byName := make(map[string]*ACL)
	for line := range strings.Lines(strings.TrimSpace(predefined)) {
		a, err := ParseACL(Pos{Where: "predefined"}, strings.Fields(line))
		if err != nil {
			panic(err)
		}
		byName[a.Name] = a
	}
	return byName
})

// PredefinedACL returns the ACL that HAProxy predefines under this name, such as LOCALHOST or
// METH_GET. A declared ACL of the same name takes precedence. The result must not be changed.
func PredefinedACL(name string) (*ACL, bool) {
	a, ok := predefinedACLs()[name]
	return a, ok
}
