package acl_test

import (
	"fmt"

	"sluice/conf"
	"sluice/engine/acl"
	"sluice/sniff"
)

func Example() {
	config, _ := conf.ParseString("sites.cfg", `
defaults
    timeout client 30s
    timeout server 30s
    timeout connect 5s
frontend web
    bind 127.0.0.1:8080
    use_backend shop if { hdr(host) -i shop.example }
    default_backend blog
backend shop
    server s1 127.0.0.1:8001
backend blog
    server b1 127.0.0.1:8002
`)
	program, problems := acl.Compile(conf.Disk{}, config, config.Frontend("web"))
	if err := problems.Err(); err != nil {
		fmt.Println(err)
		return
	}

	head := "GET / HTTP/1.1\r\nHost: Shop.example\r\n\r\n"
	facts := acl.Facts{Sniff: new(sniff.Facts)}
	scanner, state := sniff.NewScanner(), sniff.State{}
	for _, received := range []int{10, len(head)} {
		scanner.Sniff(&state, []byte(head[:received]), facts.Sniff)
		d := program.Decide(&facts)
		fmt.Print(d.Verdict)
		if d.Verdict == acl.Route {
			fmt.Print(" to ", config.Backends[d.Backend].Name)
		}
		fmt.Println()
	}
	// Output:
	// more
	// route to shop
}
