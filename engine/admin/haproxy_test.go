package admin

import (
	"bufio"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/conf"
)

// haproxy runs Debian's HAProxy with these proxies. It returns the path of its stats socket.
func haproxy(t *testing.T, proxies string) (path string) {
	t.Helper()
	version, err := exec.Command("haproxy", "-v").Output()
	if err != nil || !strings.HasPrefix(string(version), "HAProxy version 2.6.12") {
		t.Skip("no HAProxy 2.6.12 here to compare with")
	}
	dir := t.TempDir()
	path, file := filepath.Join(dir, "s"), filepath.Join(dir, "h.cfg")
	cfg := "global\n stats socket " + path + "\ndefaults\n timeout connect 1s\n timeout client 1s\n timeout server 1s\n" + proxies
	if err := os.WriteFile(file, []byte(cfg), 0o600); err != nil {
		t.Fatal(err)
	}
	peer := exec.CommandContext(t.Context(), "haproxy", "-db", "-f", file)
	if err := peer.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = peer.Process.Kill()
		_ = peer.Wait()
	})
	waitFor(t, func() bool { // the file exists before HAProxy listens
		conn, err := net.Dial("unix", path)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	return path
}

// Each text is sent in one piece, followed by FIN.
var commandLines = []string{
	"show info\n", "show info", "show info\r\n", "show info\r", "show\tinfo\n", "  show   info  \n", "show in\x00fo\n", "show info\x00\n", "show info\v\n",
	"show info # a comment\n", "show info #a comment\n", "show info\t#x\n", "show info;show info # a comment;show info\n", "show info foo\n",
	"# show info\n", "#\n", "show # info\n", "Show Info\n", "@1 show info\n",
	"show stat # comment\n", "show stat # a comment\n", "show stat #a b c\n", "show stat web 2 -1 # x y z\n", "show stat web\n", "show stat 2 1\n",
	"show stat foo\n", "show stat up foo\n", "show stat nobody 1 1\n", "show stat 0 -1 -1\n", "show stat #3 -1 -1\n", "show stat 99 -1 -1\n",
	"show stat -1 4 1\n", "show stat -1 4 2\n", "show stat -1 2 -1 up\n", "show stat www -1 -1 no-maint\n", "show stat www 1 -1; show stat web 4 1\n",
	"", "\n", "\r\n", "\n\n", "  \n", ";\n", ";;\n", ";show info\n", "show info;\n", "show info;", "show info;;show info\n", "show info ; ; show info\n",
	"foo\n", "foo", "foo;show info\n", "show info; foo\n", "show info \\; foo\n", "show info \\; foo;show info\n",
	"show info\nshow info\n", "show info\nshow", "show info\n\n", "show info;show stat", "show info\nquit", "show info\nshow info\nshow info\n",
	"quit\n", "quit\nshow info\n", "quit;show info\n", "quit # bye\n", "show info;quit;show info\n",
	"prompt\n", "prompt # x\n", "prompt\nshow info\n", "prompt;show info;show info\n", "prompt\nprompt\nshow info\n", "prompt;prompt\n",
	"prompt\n\n\n", "prompt\n;\n", "prompt\nfoo\n", "prompt\nshow info", "prompt\nshow info # x\n\nquit\nshow info\n", "prompt\n#\n",
	"show info <<\nquit\n\n", "show info <<\nprompt\nshow stat\n\nshow info\n", "show info <<\nprompt;quit\n", "show info <<\n\nshow info\n", "show info <<\r\nquit\r\n\r\nshow info\n",
	"show info <<;a;b\n\nshow info\n", "show info << \nshow info\n", "show info<<\nx\n\n", "foo <<\nshow info\n\nshow info\n", "<<\nshow info\n\n", "show info <<", "show info <<\nquit\n",
	"show << info <<\nquit\n\nshow info\n", "show info # <<\nquit\n\n", "set foo <<;quit;show info\n \n\nshow info\n", "show info;show stat <<\nquit\n\n",
	"prompt\nshow info <<\nshow info\nquit\n\nfoo\n", "prompt;foo <<\n\n", "<\nshow info\n", "show info <<\nfoo\\\n\nshow info\n", "show info <<\n;\n\nshow info\n", "show info <<<\nx\n\nshow info\n",
	"help\n", "help help\n", "help quit # x\n", "help foo\n",
}

var (
	lists   = regexp.MustCompile(`(?m)(?:^  \S.{37,}: .*\n){3,}`)
	shortly = regexp.MustCompile(`(?ms)Name: .*?^Start_time_sec: \d+\n(?:Tainted: \d+\n)?`)
	rows    = regexp.MustCompile(`(?m)^(# pxname|\w+,\w+),.*$`)
)

// plain removes the parts of an answer that differ between the programs: the list of commands and
// the numbers.
func plain(answer string) string {
	answer = lists.ReplaceAllString(answer, "(commands)\n")
	answer = shortly.ReplaceAllString(answer, "(info)\n")
	return rows.ReplaceAllString(answer, "$1")
}

// askAll sends text and FIN, and returns all bytes received.
func askAll(t *testing.T, path, text string) string {
	t.Helper()
	conn := dial(t, path).(*net.UnixConn)
	_, _ = io.WriteString(conn, text)
	_ = conn.CloseWrite()
	got, err := io.ReadAll(conn)
	if err != nil {
		t.Errorf("%q: %v after %q", text, err, got)
	}
	return string(got)
}

func TestCommandLinesAreReadAsHAProxyReadsThem(t *testing.T) {
	theirs := haproxy(t, "frontend www\n mode http\n bind "+filepath.Join(t.TempDir(), "f")+"\nbackend web\n mode http\n server s1 127.0.0.1:1\n server s2 127.0.0.1:1 disabled\n")
	v := sample(t)
	v.Frontends, v.Backends = v.Frontends[:1], v.Backends[:1]
	v.Backends[0] = backend(t, 3, &conf.Backend{Name: "web", Mode: conf.HTTP, Servers: []*conf.Server{{Name: "s1", Weight: 1}, {Name: "s2", Weight: 1, Disabled: true}}})
	ours := start(t, v, 0)
	for _, line := range commandLines {
		if diff := cmp.Diff(plain(askAll(t, theirs, line)), plain(askAll(t, ours, line))); diff != "" {
			t.Errorf("%q: HAProxy (-) and ours (+):\n%s", line, diff)
		}
	}
}

// A command is answered only when its end was received.
func TestUnfinishedCommandWaits(t *testing.T) {
	for name, path := range map[string]string{"HAProxy": haproxy(t, "backend b\n"), "ours": start(t, sample(t), time.Second)} {
		conn := dial(t, path)
		in := bufio.NewReader(conn)
		_, _ = io.WriteString(conn, "prompt;show info;show in")
		for range 2 {
			if _, err := in.ReadString('>'); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		_, _ = io.WriteString(conn, "fo # rest\n")
		if got, err := in.ReadString('>'); err != nil || !strings.Contains(got, "Uptime: ") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
