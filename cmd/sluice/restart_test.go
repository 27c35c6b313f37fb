package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// A reload warns of each setting that is not the one in use since the start, also if the file before
// had it already, and of no other.
func TestReloadWarnsOfWhatIsNotInUse(t *testing.T) {
	for name, args := range withAndWithoutMaster {
		t.Run(name, func(t *testing.T) {
			socket := filepath.Join(t.TempDir(), "admin")
			path := config(t, echo(t), "stats socket "+socket+" level admin", "ulimit-n 4000")
			startProc(t, append(args, "-f", path)...)
			const restart = "takes effect after a restart only"
			reload := func(want string) {
				t.Helper()
				for _, command := range []string{"reload --dry-run", "reload"} {
					var warnings []string
					answer := run(t, socket, command)
					for line := range strings.Lines(answer) {
						if text, _, found := strings.Cut(line, ": "+restart); found {
							warnings = append(warnings, strings.TrimPrefix(text, "global: "))
						}
					}
					if got := strings.Join(warnings, ", "); got != want || !strings.HasPrefix(answer, "Success=1") {
						t.Errorf("%s: warnings %q, want %q:\n%s", command, got, want, answer)
					}
				}
			}
			reload("")
			rewrite(t, path, "nbthread 2", "nbthread 4")
			reload("nbthread 2 is now 4")
			reload("nbthread 2 is now 4")
			rewrite(t, path, "ulimit-n 4000", "ulimit-n 5000")
			reload("ulimit-n 4000 is now 5000, nbthread 2 is now 4")
			rewrite(t, path, "nbthread 4", "nbthread 2")
			rewrite(t, path, "    ulimit-n 5000\n", "")
			reload("ulimit-n 4000 removed")
			rewrite(t, path, "    nbthread 2\n", "    nbthread 2\n    ulimit-n 4000\n")
			reload("")
		})
	}
}
