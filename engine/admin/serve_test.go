package admin

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

const everything = `  show generations                        : list the configurations in use and their sessions
  show info                               : report information about the running process
  show stat [<iid|proxy> <type> <sid>] [no-maint|up]: report counters for each proxy and server
  reload [--dry-run]                      : apply the configuration files again, or only list what would change
  help [<command>]                        : list matching or all commands
  prompt                                  : toggle interactive mode with prompt
  quit                                    : disconnect

`

// aboutShow is everything without reload.
var aboutShow = everything[:strings.Index(everything, "  reload")] + everything[strings.Index(everything, "  help"):]

func TestAnswers(t *testing.T) {
	path := start(t, sample(t), 0)
	const unknown = "Unknown command, but maybe one of the following ones is a better match:\n"
	tests := []struct{ ask, want string }{
		{"help\n", "The following commands are valid at this level:\n" + everything},
		{"help show\n", "The following commands are valid at this level:\n" + aboutShow},
		{"help reload\n", "The following commands are valid at this level:\n" + everything[strings.Index(everything, "  reload"):]},
		{"help quit\n", "The following commands are valid at this level:\n" + everything[strings.Index(everything, "  help"):]},
		{"foo\n", unknown + everything},
		{"show\n", unknown + aboutShow},
		{"show foo\r\n", unknown + aboutShow},
		{"\n", "Unknown command. Please enter one of the following commands only:\n" + everything},
		{"quit\n", ""},
		{"quit; help\n", ""},
		{"prompt; prompt\n", "\n> \n"},
		{"prompt\nfoo;quit\n", "\n> " + unknown + everything + "> "},
		{"show info json\n", "show info: 'json' is not supported; leave it out\n\n"},
		{"show stat json\n", "show stat: 'json' is not supported; leave it out\n\n"},
		{"show stat 1 x 2\n", "show stat: 'x' is no number, wanted <iid|proxy> <type> <sid>, -1 for any\n\n"},
		{"show stat nobody 1 1\n", "No such proxy.\n\n"},
		{"set x <<\nshow info\nquit\n\nquit\n", unknown + everything},
		{"help <<\n" + strings.Repeat("a\n", maxCommand/2), "command too long, wanted at most 16384 bytes\n\n"},
		{strings.Repeat("a", maxCommand+1), "command too long, wanted at most 16384 bytes\n\n"},
	}
	for _, tt := range tests {
		if got := ask(t, path, tt.ask); got != tt.want {
			t.Errorf("%.40q:\n%s\nwant\n%s", tt.ask, got, tt.want)
		}
	}
}

func TestPromptStays(t *testing.T) {
	conn := dial(t, start(t, sample(t), 0))
	in := bufio.NewReader(conn)
	for _, ask := range []string{"prompt\n", "show info\n", "prompt; show info\n"} {
		if _, err := io.WriteString(conn, ask); err != nil {
			t.Fatal(err)
		}
		if ask != "prompt; show info\n" {
			if _, err := in.ReadString('>'); err != nil {
				t.Fatalf("%q: %v", ask, err)
			}
		}
	}
	if _, err := io.ReadAll(in); err != nil {
		t.Errorf("after the second prompt the door stays open: %v", err)
	}
}

func TestIdleClientIsLeft(t *testing.T) {
	if got := ask(t, start(t, sample(t), 20*time.Millisecond), "show inf"); got != "" {
		t.Errorf("got %q, want nothing", got)
	}
}

func TestEndClosesClientsAndSocket(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan error)
	go func() { over <- Serve(ctx, ln, options(nil, 0)) }()
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	cancel()
	if err := <-over; err != nil {
		t.Errorf("serve ended with %v", err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, err = conn.Read(make([]byte, 1))
	if ne, ok := errors.AsType[net.Error](err); err == nil || ok && ne.Timeout() {
		t.Errorf("the client was not closed: %v", err)
	}
	if again, err := net.Listen("tcp", ln.Addr().String()); err != nil {
		t.Errorf("the socket was not closed: %v", err)
	} else {
		again.Close()
	}
}

func TestServeTellsThatTheSocketFailed(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	if err := Serve(t.Context(), ln, options(nil, 0)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want that it is closed", err)
	}
}

// When the highest number of clients is connected, a further client waits. It gets its answer when
// another client leaves.
func TestManyClients(t *testing.T) {
	path := start(t, sample(t), 0)
	var held []net.Conn
	for range maxClients {
		conn := dial(t, path)
		_, _ = io.WriteString(conn, "prompt\n")
		if _, err := bufio.NewReader(conn).ReadString('>'); err != nil {
			t.Fatal(err)
		}
		held = append(held, conn)
	}
	late := dial(t, path)
	_, _ = io.WriteString(late, "help\n")
	held[3].Close()
	if got, err := io.ReadAll(late); err != nil || len(got) == 0 {
		t.Errorf("got %q, %v", got, err)
	}
}

// Every command is answered, whatever bytes it contains, and the server continues.
func FuzzAnswers(f *testing.F) {
	for _, line := range []string{
		"show info", "show stat -1 4 -1 up", "help;prompt;quit", ";;;", "show stat 9223372036854775808 x -1", "\x00\xff",
		"show stat 3 -9 99999999", "  show\tstat web 7 1 no-maint ; show info x",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		c := client{Options: options(sample(t), 0), ctx: t.Context(), level: "admin"}
		in := bufio.NewReader(strings.NewReader(line))
		for !c.leaving {
			cmd, err := next(in)
			if err != nil {
				return
			}
			if got := c.reply(cmd); !c.leaving && !strings.Contains(got, "\n") {
				t.Errorf("%q of %q got %q", cmd, line, got)
			}
		}
	})
}
