//go:build simulation

package engine

import (
	"math/rand/v2"
)

// simCookie is the directive cookie of a backend, by which clients stay at one server. The value of
// the cookie is the name of the server.
type simCookie struct {
	insert, rewrite, prefix             bool
	indirect, preserve, postOnly, dates bool
}

// cookieName is the name of the cookie in all backends.
const cookieName = "SRV"

// useCookie gives a backend a directive cookie with random options.
func useCookie(t *turn[*simBack]) {
	b, c, words := t.of, &simCookie{}, ""
	switch t.IntN(6) {
	case 0: // the server's own cookie is passed on
	case 1:
		c.rewrite, words = true, " rewrite"
	case 2:
		c.prefix, words = true, " prefix"
	default:
		c.insert, words = true, " insert"
		words += among(t.Rand, "", " httponly secure", " domain a.test", " attr SameSite=Lax", " nocache")
	}
	for _, w := range []struct {
		word     string
		possible bool
		mark     *bool
	}{
		{" indirect", c.insert, &c.indirect}, {" preserve", c.insert, &c.preserve}, {" postonly", c.insert, &c.postOnly},
		{" maxidle 1h maxlife 2h", c.insert, &c.dates},
	} {
		if w.possible && t.once(3) {
			*w.mark, words = true, words+w.word
		}
	}
	b.cookie = c
	b.say("cookie %s%s", cookieName, words)
}

// value returns the cookie value that assigns a client to a server.
func (c *simCookie) value(server string) string {
	if c.prefix {
		return server + "~v7"
	}
	return server
}

// expect draws the cookies of a request and of its answer, and sets the expected changes of both by
// the balancer.
func (c *simCookie) expect(r *rand.Rand, q *asked, b *simBack) {
	known := false
	switch servers := b.cookieServers(); r.IntN(4) {
	case 0:
		c.brings(r, q, c.value("nobody"))
	case 1, 2:
		if len(servers) > 0 {
			known, q.Expect.Server = true, servers[r.IntN(len(servers))]
			c.brings(r, q, c.value(q.Expect.Server))
		}
	}
	c.expectAnswer(r, q, known)
}

// brings makes the client send the cookie with a value, and another cookie. It sets the Cookie
// field that the server must get.
func (c *simCookie) brings(r *rand.Rand, q *asked, value string) {
	mine, other := cookieName+"="+value, "a=b; c=d"
	seen := mine
	switch {
	case c.insert && c.indirect:
		seen = ""
	case c.prefix:
		seen = cookieName + "=v7"
	}
	join := func(first, second string) string {
		if first == "" || second == "" {
			return first + second
		}
		return first + "; " + second
	}
	if r.IntN(2) == 0 {
		q.Cookie = join(mine, other)
		q.has("Cookie: " + join(seen, other))
		return
	}
	q.Cookie = join(other, mine)
	q.has("Cookie: " + join(other, seen))
}

// expectAnswer draws whether the server sets the cookie itself. It sets the Set-Cookie field that
// the client must get. known: the request's cookie names a server.
func (c *simCookie) expectAnswer(r *rand.Rand, q *asked, known bool) {
	const own = "Set-Cookie: " + cookieName + "=v8; path=/x"
	sets := r.IntN(3) == 0
	if sets {
		q.says(own)
	}
	passed := sets && (c.preserve || !c.insert && !c.rewrite && !c.prefix)
	due := c.insert && !passed && (!c.postOnly || q.Method == "POST") && (!known || c.dates)
	switch {
	case due, sets && (c.rewrite || c.prefix):
		q.Expect.Cookie = cookieName
	case passed:
		q.gains(own)
	default:
		q.loses("set-cookie")
	}
}

// cookieServers returns the servers that certainly get the requests whose cookie names them.
func (b *simBack) cookieServers() (names []string) {
	if b.doubts.has(refusals) {
		return nil
	}
	for _, v := range b.servers {
		if v.kind == serves && !v.disabled && !v.changes && !v.joins {
			names = append(names, v.name)
		}
	}
	return names
}
