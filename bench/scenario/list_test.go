package scenario

import (
	"strings"
	"testing"
	"time"

	"sluice/bench/peer"
)

var peers = []peer.Peer{
	peer.Direct{}, &peer.HAProxy{Label: "sluice"}, &peer.HAProxy{Label: "haproxy"},
	&peer.HAProxy{Label: "haproxy-splice", Options: peer.Splicing},
	&peer.HAProxy{Label: "haproxy-pipe", Options: peer.Splicing, Pipe: peer.LargePipe}, &peer.HAProxy{Label: "haproxy-map", Map: true},
	&peer.Nginx{}, &peer.Floor{},
}

// TestWhoRuns lists the peers that take part in each scenario.
func TestWhoRuns(t *testing.T) {
	const all = "sluice haproxy nginx floor"
	want := map[string]string{
		"conn-rate clients=4 log=off":             "sluice haproxy haproxy-splice nginx floor",
		"conn-rate clients=64 log=tcplog":         "sluice haproxy nginx",
		"conn-rate-sni clients=64 log=off":        "sluice haproxy haproxy-splice nginx floor",
		"bulk direction=both mib=1024 streams=32": "sluice haproxy haproxy-splice haproxy-pipe nginx floor",
		"idle idle=8000 log=tcplog":               all,
		"churn-under-idle clients=64 idle=8000":   all,
		"drip clients=64 slow=5000":               all,
		"latency clients=64 of=req":               "direct " + all,
		"rules clients=64 route=host rules=10000": "sluice haproxy haproxy-map floor",
		"rules clients=64 route=sni rules=10000":  "sluice haproxy haproxy-map nginx floor",
		"keepalive clients=64 log=off":            "sluice haproxy haproxy-splice nginx floor",
		"conn-rate-sni clients=64 log=tcplog":     "sluice haproxy nginx",
		"bulk direction=up mib=1024 streams=1":    "sluice haproxy haproxy-splice haproxy-pipe nginx floor",
		"churn-under-idle clients=64 idle=0":      all,
		"drip clients=64 slow=0":                  all,
		"latency clients=1000 of=conn":            "direct " + all,
		"rules clients=64 route=host rules=2":     "sluice haproxy haproxy-map floor",

		"reload backends=2 reloads=100 rules=10000 tunnels=before":   "sluice haproxy",
		"reload backends=2000 reloads=20 rules=10000 tunnels=before": "sluice haproxy",

		"http-keepalive clients=64 log=off":           "sluice haproxy",
		"http-conn-rate clients=64 log=off":           "sluice haproxy",
		"http-bulk direction=down mib=1024 streams=1": "sluice haproxy haproxy-splice haproxy-pipe",
		"http-bulk direction=up mib=1024 streams=32":  "sluice haproxy haproxy-splice haproxy-pipe",
	}
	got := map[string]string{}
	for _, s := range All {
		if s.Skip != "" {
			continue
		}
		for _, v := range s.Variants(Scale{Rounds: 1, For: time.Second}) {
			var names []string
			for _, p := range peers {
				if v.Wants(p) {
					names = append(names, p.Name())
				}
			}
			got[s.Name+" "+Words(v.Params)] = strings.Join(names, " ")
		}
	}
	for variant, names := range want {
		if got[variant] != names {
			t.Errorf("%s: %q, wanted %q", variant, got[variant], names)
		}
	}
	if len(got) != 37 {
		t.Errorf("%d variants, wanted 37", len(got))
	}
}

// TestFewDescriptors: no variant needs more than 20,000 descriptors per proxy.
func TestFewDescriptors(t *testing.T) {
	for _, s := range All {
		if s.Skip != "" {
			continue
		}
		for _, v := range s.Variants(Scale{}) {
			if need := v.Site.Files(); need > 19000 {
				t.Errorf("%s %s: %d descriptors", s.Name, Words(v.Params), need)
			}
			if a, ok := v.Work.(*asking); ok && a.held+a.clients > v.Site.MaxConn {
				t.Errorf("%s %s: more clients than maxconn %d", s.Name, Words(v.Params), v.Site.MaxConn)
			}
		}
	}
}

// TestTooFewFiles: if the limit of open files is too low, the error comes before anything
// starts.
func TestTooFewFiles(t *testing.T) {
	churn, _ := Find("churn-under-idle")
	lab := &Lab{Scale: Scale{Rounds: 1, For: time.Second}, Files: 1024, Peers: peers}
	_, _, err := lab.Run(t.Context(), churn[0])
	if err == nil || !strings.Contains(err.Error(), "needs 18100 open files here and may have 1024 (ulimit -Hn 18100)") {
		t.Errorf("%v, wanted what is needed and how to get it", err)
	}
}

func TestFind(t *testing.T) {
	if all, _ := Find("all"); len(all) != len(All) {
		t.Errorf("%d of %d", len(all), len(All))
	}
	two, unknown := Find("idle,bulk")
	if len(two) != 2 || unknown != "" || two[0].Name != "idle" {
		t.Errorf("%v %q", two, unknown)
	}
	if _, unknown := Find("idle,sleep"); unknown != "sleep" {
		t.Errorf("%q unknown, wanted sleep", unknown)
	}
}
