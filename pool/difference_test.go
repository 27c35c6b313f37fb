package pool

import "testing"

func TestChangeSpeaksPlainly(t *testing.T) {
	tests := []struct {
		change Change
		want   string
	}{
		{Change{Kind: ServerAdded, Server: "s", Is: "/run/web"}, "server b/s: added with address /run/web"},
		{Change{Kind: ServerAdded, Server: "s", Is: "[::1]:80", Command: true}, "server b/s: added with address [::1]:80, although a command had removed it"},
		{Change{Kind: ServerRemoved, Server: "s"}, "server b/s: removed"},
		{Change{Kind: ServerAddress, Server: "s", What: "address", Was: "10.0.0.1:80", Is: "10.0.0.2:80"}, "server b/s: address 10.0.0.1:80 is now 10.0.0.2:80"},
		{Change{Kind: ServerWeight, Server: "s", What: "weight", Was: "5", Is: "1", Command: true}, "server b/s: weight 5, set by a command, is now 1"},
		{Change{Kind: Setting, What: "retries", Was: "3", Is: "1"}, "backend b: retries 3 is now 1"},
	}
	for _, tt := range tests {
		tt.change.Backend = "b"
		if got := tt.change.String(); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}
