package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/conf"
	"sluice/engine/listen"
	"sluice/engine/sock"
)

//go:embed demo.toml
var demoConfig string

// The addresses in demo.toml, which are replaced at run time.
const (
	demoListen = "127.0.0.1:8080"
	demoApples = "127.0.0.1:8081"
	demoPears  = "127.0.0.1:8082"
)

func newDemo() *cobra.Command {
	var at string
	var printConfig bool
	c := &cobra.Command{
		Use:   "demo",
		Short: "run two built-in sites with the balancer in front of them",
		Example: `  sluice demo
  sluice demo --listen 127.0.0.1:18080
  sluice demo --print-config > demo.toml`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if printConfig {
				_, err := io.WriteString(c.OutOrStdout(), demoText(at, demoApples, demoPears))
				return err
			}
			return demo(c.OutOrStdout(), at)
		},
	}
	c.Flags().StringVar(&at, "listen", demoListen, "`ADDRESS` on which the balancer listens")
	c.Flags().BoolVar(&printConfig, "print-config", false, "print the configuration and exit")
	return c
}

func demoText(at, apples, pears string) string {
	return strings.NewReplacer(demoListen, at, demoApples, apples, demoPears, pears).Replace(demoConfig)
}

func demo(w io.Writer, at string) error {
	apples, err := newSite("apples")
	if err != nil {
		return err
	}
	defer func() { _ = apples.Close() }()
	pears, err := newSite("pears")
	if err != nil {
		return err
	}
	defer func() { _ = pears.Close() }()
	compiled, problems := read(thisMachine(), nil, conf.Source{Name: "demo.toml", Data: []byte(demoText(at, apples.Addr, pears.Addr))})
	l := launch{files: configFiles{paths: []string{"demo.toml"}}, builtIn: true, logFormat: "console", quiet: true, bound: func(s *listen.Sockets) { demoHelp(w, s.Addr("demo").String()) }}
	err = l.run(compiled, problems)
	if errors.Is(err, sock.ErrBusy) {
		return fmt.Errorf("%w; to listen elsewhere: sluice demo --listen 127.0.0.1:18080", err)
	}
	return err
}

// newSite starts a site that answers with its name, on a port that the kernel
// chooses.
func newSite(name string) (*http.Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("demo site %s: %w", name, err)
	}
	site := &http.Server{
		Addr:              l.Addr().String(),
		ReadHeaderTimeout: 10 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "hello from %s, you asked for %s\n", name, r.URL.Path)
		}),
	}
	go func() { _ = site.Serve(l) }() // returns when demo closes the site
	return site, nil
}

// demoHelp prints commands to try as soon as the balancer listens.
func demoHelp(w io.Writer, addr string) {
	fmt.Fprintf(w, `
Sluice listens at %[1]s, in front of two sites. In another terminal:

  curl http://%[1]s/
      hello from apples, you asked for /

  curl -H 'Host: pears.localhost' http://%[1]s/basket
      hello from pears, you asked for /basket

  curl http://%[1]s/private
      no answer: a rule closes the connection (curl: (52) or (56))

A line for each connection follows, as HAProxy's tcplog writes it:
client [time] frontend backend/server wait/connect/total ms, bytes, how it ended
The configuration: sluice demo --print-config. Ctrl-C stops.

`, addr)
}
