package conf

import "testing"

// connecting parses a listen section behind defaults, and checks that both
// survive WriteTOML.
func connecting(t *testing.T, defaults, words string) (*Frontend, *Backend, Problems) {
	t.Helper()
	c, problems := ParseString("x.cfg", "defaults\n timeout connect 1s\n timeout client 1s\n timeout server 1s\n"+defaults+
		"\nlisten l\n bind 127.0.0.1:80\n"+words+"\n server s 127.0.0.1:81")
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	roundTrip(t, c)
	return c.Frontends[0], c.Backends[0], problems
}

func TestSmartAcceptComesWithModeHTTP(t *testing.T) {
	for _, c := range []struct {
		defaults, words string
		want            bool
	}{
		{"", "", false},
		{"", " mode http", true},
		{" mode http", " no option tcp-smart-accept", false},
		{" no option tcp-smart-accept", " mode http", false},
		{" option tcp-smart-accept", "", true},
		{" option tcp-smart-accept", " mode http\n no option tcp-smart-accept", false},
		{" no option tcp-smart-accept", " option tcp-smart-accept", true},
	} {
		f, _, problems := connecting(t, c.defaults, c.words)
		if f.SmartAccept != c.want || len(problems) > 0 {
			t.Errorf("%q, %q: %v, %v; want %v", c.defaults, c.words, f.SmartAccept, problems, c.want)
		}
	}
}

func TestSmartConnect(t *testing.T) {
	for _, c := range []struct {
		defaults, words string
		want            bool
	}{
		{"", " mode http", false},
		{"", " option tcp-smart-connect", true},
		{" option tcp-smart-connect", "", true},
		{" option tcp-smart-connect", " no option tcp-smart-connect", false},
	} {
		_, b, problems := connecting(t, c.defaults, c.words)
		if b.SmartConnect != c.want || len(problems) > 0 {
			t.Errorf("%q, %q: %v, %v; want %v", c.defaults, c.words, b.SmartConnect, problems, c.want)
		}
	}
}
