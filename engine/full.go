package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"sluice/engine/listen"
	"sluice/engine/session"
	"sluice/engine/site"
)

// fullError says that no number is left for another site.
type fullError struct {
	live   int
	oldest *generation
	users  string // connections of the oldest, see countUsers
}

// Error names the oldest site, the connections that use it, and what the operator can do.
func (f *fullError) Error() string {
	return f.text() + ": end them or wait until they end, then reload again; a new configuration with hard-stop-after would end them"
}

// early returns the warning that a reload ends the connections of the oldest site.
func (f *fullError) early() string {
	return f.text() + ": they end now, because the new configuration sets hard-stop-after"
}

func (f *fullError) text() string {
	return fmt.Sprintf("%d configurations are in use, which is the maximum; the oldest is generation %d, loaded at %s, which is used by %s",
		f.live, f.oldest.serial, f.oldest.since.Format(time.DateTime), f.users)
}

// longestCount is the maximum time in which loops count the sessions of a site.
const longestCount = time.Second

// countUsers returns the connections that use a site, as text.
func (e *Engine) countUsers(g *generation) string {
	ctx, cancel := context.WithTimeout(context.Background(), longestCount)
	defer cancel()
	users, ok := e.usersOf(ctx, g.number)
	if !ok {
		return "connections of that time"
	}
	return countText(users)
}

// longestEnd is the maximum time in which the sessions of a site end after an order to end at once.
const longestEnd = 5 * time.Second

// prepareAgain is called after prepare has failed with err. If no number is left for the site, and the
// site sets hard-stop-after, prepareAgain ends the sessions of the oldest site at once and calls prepare
// again. It returns any other error unchanged.
func (e *Engine) prepareAgain(err error, s *site.Site, sockets func() (*listen.Next, error)) (*update, error) {
	full, ok := errors.AsType[*fullError](err)
	if !ok {
		return nil, err
	}
	full.users = e.countUsers(full.oldest)
	if s.Conf.Global.HardStop == 0 {
		return nil, full
	}
	old := full.oldest
	e.tell(func(l *session.Loop) error { return l.EndSite(old.number, old.site) })
	ctx, cancel := context.WithTimeout(context.Background(), longestEnd)
	defer cancel()
	select {
	case <-old.gone:
	case <-e.over:
	case <-ctx.Done():
	}
	u, err := e.prepare(s, sockets)
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, full.early())
	}
	u.Warnings = append(u.Warnings, full.early())
	return u, nil
}

// usersOf returns the number of sessions of a site by their frontend. It returns false if ctx or the
// loops end before they have answered.
func (e *Engine) usersOf(ctx context.Context, number uint8) (map[string]int, bool) {
	answers := make(chan map[string]int, len(e.Loops)) // a loop never waits
	e.tell(func(l *session.Loop) error {
		answers <- l.UsersOf(number)
		return nil
	})
	all := map[string]int{}
	for range e.Loops {
		select {
		case users := <-answers:
			for frontend, n := range users {
				all[frontend] += n
			}
		case <-e.over:
			return nil, false
		case <-ctx.Done():
			return nil, false
		}
	}
	return all, true
}

// countText returns the connections as text, such as `3 connections (2 of frontend 'a', 1 of
// frontend 'b')`.
func countText(users map[string]int) string {
	sum := 0
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(users)) {
		sum += users[name]
		parts = append(parts, fmt.Sprintf("%d of frontend '%s'", users[name], name))
	}
	what := "connections"
	if sum == 1 {
		what = "connection"
	}
	if sum == 0 {
		return "no connection any more"
	}
	return fmt.Sprintf("%d %s (%s)", sum, what, strings.Join(parts, ", "))
}
