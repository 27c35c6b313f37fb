package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"strings"

	"github.com/spf13/cobra"

	"sluice/conf"
	"sluice/engine/acl"
	"sluice/engine/site"
	"sluice/pool"
)

func newExplain() *cobra.Command {
	var files configFiles
	var frontend string
	var who client
	var asJSON bool
	c := &cobra.Command{
		Use:   "explain -f FILE",
		Short: "say to which server a client would be sent, and by which rule",
		Long: `Say where a client would be sent, and by which rule. Each tcp-request,
use_backend and default_backend line is shown with 'true', 'false' or 'not
reached'; then the backend and the server. Lines of mode http (http-request,
redirect, http-response, cookie) are not evaluated.

Without --host, --path, --method, --header, --sni or --alpn the client sends
nothing. All servers count as up: no connection is made and no name is looked
up.`,
		Example: `  sluice explain -f web.toml --frontend web --host blog.example.org --path /a
  sluice explain -f web.toml --frontend tls --sni mail.example.org --json`,
		Args: onlyFlags,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := who.findProtocol(c.Flags()); err != nil {
				return err
			}
			s, problems, err := files.read(site.Outside{LookUp: noLookUp, Files: conf.Disk{}}, nil)
			if err != nil {
				return err
			}
			if s == nil {
				return refusal(files.String(), problems)
			}
			answer, err := explain(s, frontend, &who)
			if err != nil {
				return err
			}
			return answer.print(c.OutOrStdout(), asJSON)
		},
	}
	files.required(c)
	c.Flags().StringVar(&frontend, "frontend", "", "frontend to which the client connects; may be omitted if there is only one")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	who.flags(c.Flags())
	return c
}

// explanation is the answer of the command.
type explanation struct {
	Frontend string   `json:"frontend"`
	Rules    []ruling `json:"rules"`
	Verdict  string   `json:"verdict"` // refuse or route
	Rule     string   `json:"rule"`    // the rule that decided; empty: none did
	Backend  string   `json:"backend"`
	Server   string   `json:"server"`
	Address  string   `json:"address"`
}

// ruling is one rule and the result of its condition alone.
type ruling struct {
	Rule    string `json:"rule"`
	At      string `json:"at"`
	Verdict string `json:"verdict"` // true or false
	Reached bool   `json:"reached"` // no rule before it ended the evaluation
}

// kind is the list of rules to which the rule belongs: the first that holds
// ends its list.
func (r ruling) kind() string {
	if words := strings.Fields(r.Rule); words[0] == "tcp-request" {
		return words[1]
	}
	return "backend"
}

func (r ruling) rejects() bool {
	words := strings.Fields(r.Rule)
	return words[0] == "tcp-request" && words[2] == "reject"
}

func explain(s *site.Site, frontend string, who *client) (*explanation, error) {
	f, err := chooseFrontend(s, frontend)
	if err != nil {
		return nil, err
	}
	facts, err := who.facts(f.Conf)
	if err != nil {
		return nil, err
	}
	e := &explanation{Frontend: f.Conf.Name}
	for _, step := range f.Rules.Explain(facts) {
		e.Rules = append(e.Rules, ruling{Rule: step.Text, At: step.Pos.String(), Verdict: step.Verdict.String()})
	}
	e.markReached()
	if f.Rules.Connection(facts) == conf.Reject {
		e.Verdict = acl.Refuse.String()
		e.Rule = firstReject(e.Rules)
		return e, nil
	}
	e.decide(s, f.Rules.Decide(facts), facts.Src.Addr())
	return e, nil
}

// markReached follows the rules in their order up to the one that decides.
func (e *explanation) markReached() {
	ended, rejected := "", false
	for i := range e.Rules {
		r := &e.Rules[i]
		r.Reached = !rejected && r.kind() != ended
		if r.Reached && r.Verdict == acl.True.String() {
			ended, rejected = r.kind(), r.rejects()
		}
	}
}

// firstReject returns the tcp-request connection rule that refused. These rules
// are listed first, and the first true one decided.
func firstReject(rules []ruling) string {
	for _, r := range rules {
		if r.Verdict == acl.True.String() {
			return r.Rule
		}
	}
	return ""
}

func (e *explanation) decide(s *site.Site, d acl.Decision, src netip.Addr) {
	e.Verdict = d.Verdict.String()
	if d.Rule >= 0 {
		e.Rule = e.Rules[d.Rule].Rule
	}
	if d.Verdict != acl.Route || d.Backend < 0 {
		return
	}
	b := s.Backends[d.Backend]
	e.Backend = b.Name
	if server := b.Pick(pool.Key{Source: src}, nil); server != nil {
		e.Server, e.Address = server.Name, server.Conf().Address.String()
	}
}

func chooseFrontend(s *site.Site, name string) (*site.Frontend, error) {
	if name == "" && len(s.Frontends) == 1 {
		return s.Frontends[0], nil
	}
	if f := s.Frontend(name); f != nil {
		return f, nil
	}
	var names []string
	for _, f := range s.Frontends {
		names = append(names, "'"+f.Conf.Name+"'")
	}
	return nil, fmt.Errorf("--frontend '%s': want one of %s", name, strings.Join(names, ", "))
}

func (e *explanation) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(e)
	}
	fmt.Fprintf(w, "frontend %s\n", e.Frontend)
	for _, r := range e.Rules {
		fmt.Fprintf(w, "  %-11s  %s  (%s)\n", r.outcome(), r.Rule, r.At)
	}
	if e.Rule != "" {
		fmt.Fprintf(w, "decided by  %s\n", e.Rule)
	}
	_, err := fmt.Fprintln(w, e.outcome())
	return err
}

func (r ruling) outcome() string {
	if !r.Reached {
		return "not reached"
	}
	return r.Verdict
}

func (e *explanation) outcome() string {
	switch {
	case e.Verdict == acl.Refuse.String():
		return "refused"
	case e.Backend == "":
		return "closed: no rule holds and there is no default_backend"
	case e.Server == "":
		return "backend " + e.Backend + ", which has no usable server"
	}
	return fmt.Sprintf("backend %s, server %s at %s", e.Backend, e.Server, e.Address)
}
