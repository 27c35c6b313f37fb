package admin

import (
	"cmp"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"sluice/pool/stat"
)

// typed is a value in HAProxy's typed output, without the value.
type typed struct {
	number int
	name   string
	of     stat.Scope
	tags   string
	format string
}

// TestTypesAreHAProxys compares the number, the name, the kinds of objects, the letters and the
// format of each metric with the typed output of Debian's HAProxy.
func TestTypesAreHAProxys(t *testing.T) {
	dir := t.TempDir()
	answering(t, filepath.Join(dir, "answers"))
	path := haproxy(t, "global\n description some text\n"+strings.ReplaceAll(manyKinds, "DIR", dir)+`
backend features
 option httpchk
 server a `+dir+`/later maxconn 1 maxqueue 2 pool-max-conn 3 observe layer4 check inter 50ms rise 1 fall 1 slowstart 60s
 server b 127.0.0.1:1 agent-check agent-port 1 track features/a
`)
	showing := func(text string) func() bool {
		return func() bool { return strings.Contains(ask(t, path, "show stat features 4 -1 typed\n"), text) }
	}
	waitFor(t, showing(".last_agt."))
	waitFor(t, showing(":DOWN\n"))
	answering(t, filepath.Join(dir, "later"))
	waitFor(t, showing(".throttle.")) // slowstart has begun
	theirs := slices.Concat(typedStat(t, ask(t, path, "show stat typed\n")), typedInfo(t, ask(t, path, "show info typed\n")))
	var ours []typed
	for i := range stat.Columns {
		for of := stat.ForFrontend; of <= stat.ForServer; of <<= 1 {
			ours = append(ours, typedOf(i, &stat.Columns[i], of)...)
		}
	}
	for i := range stat.Keys {
		ours = append(ours, typedOf(i, &stat.Keys[i], stat.ForProcess)...)
	}
	// Values that HAProxy never has: those of a build with zlib, and a number that agents do not send yet.
	missing := []string{"ZlibMemUsage", "MaxZlibMemUsage", "agent_code"}
	ours = slices.DeleteFunc(ours, func(v typed) bool { return slices.Contains(missing, v.name) })
	if diff := gocmp.Diff(sorted(theirs), sorted(ours), gocmp.AllowUnexported(typed{})); diff != "" {
		t.Errorf("HAProxy (-) and ours (+):\n%s", diff)
	}
}

// typedStat reads lines such as F.2.0.7.stot.1:MCP:u64:0, where 7 is the number of stot.
func typedStat(t *testing.T, text string) (all []typed) {
	t.Helper()
	scopes := map[string]stat.Scope{"F": stat.ForFrontend, "B": stat.ForBackend, "S": stat.ForServer}
	for line := range strings.Lines(strings.TrimRight(text, "\n")) {
		parts := strings.SplitN(line, ":", 4)
		words := strings.Split(parts[0], ".")
		if len(parts) < 4 || len(words) != 6 {
			t.Fatalf("typed line %q", line)
		}
		all = append(all, typedLine(t, words[3], words[4], scopes[words[0]], parts[1], parts[2]))
	}
	return all
}

// typedInfo reads lines such as 18.CumConns.1:MCP:u32:5.
func typedInfo(t *testing.T, text string) (all []typed) {
	t.Helper()
	for line := range strings.Lines(strings.TrimRight(text, "\n")) {
		parts := strings.SplitN(line, ":", 4)
		words := strings.Split(parts[0], ".")
		if len(parts) < 4 || len(words) != 3 {
			t.Fatalf("typed line %q", line)
		}
		all = append(all, typedLine(t, words[0], words[1], stat.ForProcess, parts[1], parts[2]))
	}
	return all
}

func typedLine(t *testing.T, number, name string, of stat.Scope, tags, format string) typed {
	t.Helper()
	n, err := strconv.Atoi(number)
	if err != nil {
		t.Fatal(err)
	}
	return typed{n, name, of, tags, format}
}

// typedOf returns what is known of a metric of this kind of object: one value or none.
func typedOf[S stat.Source](number int, m *stat.Metric[S], of stat.Scope) []typed {
	if m.Scope&of == 0 {
		return nil
	}
	return []typed{{number, m.Name, of, m.Tags(of), string(m.Format)}}
}

// sorted returns the different values in order.
func sorted(all []typed) []typed {
	slices.SortFunc(all, func(a, b typed) int {
		return cmp.Or(cmp.Compare(a.of, b.of), cmp.Compare(a.number, b.number), cmp.Compare(a.tags, b.tags))
	})
	return slices.Compact(all)
}
