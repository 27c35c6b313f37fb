package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"sluice/engine/session"
)

// fullError says that no number is left for another site.
type fullError struct {
	live   int
	oldest *generation
	ends   time.Time // when hard-stop-after ends the sessions of the oldest; zero: never
	users  string    // connections of the oldest; empty: not counted
}

// Error names the oldest site, the connections that use it, and what the operator can do.
func (f *fullError) Error() string {
	hint := "end them or wait until they end, then reload again; a later configuration with hard-stop-after limits the time of such connections"
	if !f.ends.IsZero() {
		hint = "hard-stop-after ends them at " + f.ends.Format(time.DateTime) + "; reload again then"
	}
	users := f.users
	if users == "" {
		users = "connections of that time"
	}
	return fmt.Sprintf("%d configurations are in use, which is the maximum; the oldest is generation %d, loaded at %s, which is used by %s: %s",
		f.live, f.oldest.serial, f.oldest.since.Format(time.DateTime), users, hint)
}

// longestCount is the maximum time in which loops count sessions for an error message.
const longestCount = time.Second

// counted adds to a fullError the connections of the oldest site, which it asks the loops for. It
// returns any other error unchanged.
func (e *Engine) counted(err error) error {
	full, ok := errors.AsType[*fullError](err)
	if !ok {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), longestCount)
	defer cancel()
	if users, ok := e.usersOf(ctx, full.oldest.number); ok {
		full.users = countText(users)
	}
	return full
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
