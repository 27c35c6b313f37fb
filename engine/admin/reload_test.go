package admin

import (
	"context"
	"errors"
	"testing"
)

func TestReloadNeedsLevelAdmin(t *testing.T) {
	o := options(sample(t), 0)
	for _, level := range []string{"user", "operator"} {
		o.Reload = func(context.Context, bool) Result { t.Error(level + " has reloaded"); return Result{} }
		path := startAt(t, level, o)
		for _, cmd := range []string{"reload\n", "reload --dry-run\n", "reload x\n"} {
			if got := ask(t, path, cmd); got != "Permission denied\n\n" {
				t.Errorf("%s: %q: %q", level, cmd, got)
			}
		}
	}
}

func TestReloadAnswers(t *testing.T) {
	path := startAt(t, "admin", options(sample(t), 0))
	for cmd, want := range map[string]string{
		"reload\n":               "Success=1\n--\nbackend b: server s removed\nreloaded\n\n",
		"reload --dry-run\n":     "Success=0\n--\nweb.cfg:3: error: no\nnot reloaded\n\n",
		"reload --dry-run now\n": "reload: '--dry-run now' is not known, wanted nothing or --dry-run\n\n",
		"reload -dry-run\n":      "reload: '-dry-run' is not known, wanted nothing or --dry-run\n\n",
	} {
		if got := ask(t, path, cmd); got != want {
			t.Errorf("%q: %q, want %q", cmd, got, want)
		}
	}
}

func TestReloadOfAProcessThatCannot(t *testing.T) {
	path := startAt(t, "admin", Options{Timeout: options(nil, 0).Timeout})
	if got, want := ask(t, path, "reload\n"), "Success=0\n--\nthis process cannot reload its configuration\n\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestShowGenerations(t *testing.T) {
	o := options(sample(t), 0)
	const want = `#<generation>   <loaded>                    <sessions>      <state>
1               2026-01-02T03:04:05Z        12              old
7               2026-01-02T04:04:05Z        3456            newest

`
	if got := ask(t, startAt(t, "user", o), "show generations\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	o.Generations = func(context.Context) ([]Generation, error) { return nil, errors.New("the process is stopping") }
	if got, want := ask(t, startAt(t, "user", o), "show generations\n"), "show generations: the process is stopping\n\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
