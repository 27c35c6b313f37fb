package access

import (
	"strings"
	"testing"
	"time"

	"sluice/conf"
)

// at is on a day with one digit, which syslog pads with a space.
var at = time.Date(2022, 11, 2, 17, 0, 0, 419_638_000, time.FixedZone("", -5400))

func render(t *testing.T, c conf.LogTarget, lv Level, line string) string {
	t.Helper()
	n, err := newTarget(c, "haproxy", 123)
	if err != nil {
		t.Fatal(err)
	}
	return string(n.append(nil, lv, at, []byte(line)))
}

func TestHeaders(t *testing.T) {
	tests := []struct{ format, want string }{
		{"", "<134>Nov  2 17:00:00 haproxy[123]: text\n"},
		{"local", "<134>Nov  2 17:00:00 haproxy[123]: text\n"},
		{"rfc3164", "<134>Nov  2 17:00:00 localhost haproxy[123]: text\n"},
		{"rfc5424", "<134>1 2022-11-02T17:00:00.419638-01:30 - haproxy 123 - - text\n"},
		{"priority", "<134>text\n"},
		{"short", "<6>text\n"},
		{"timed", "<6>2022-11-02T17:00:00.419638-01:30 text\n"},
		{"iso", "2022-11-02T17:00:00.419638-01:30 text\n"},
		{"raw", "text\n"},
	}
	for _, test := range tests {
		got := render(t, conf.LogTarget{Format: test.format, Facility: "local0"}, Info, "text")
		if got != test.want {
			t.Errorf("%s: got %q, want %q", test.format, got, test.want)
		}
	}
}

func TestPriorities(t *testing.T) {
	tests := []struct {
		facility, most string
		level          Level
		want           string
	}{
		{"kern", "", Emerg, "<0>"},
		{"cron2", "", Debug, "<127>"},
		{"local7", "", Info, "<190>"},
		{"local0", "notice", Emerg, "<133>"},
		{"local0", "notice", Info, "<134>"},
	}
	for _, test := range tests {
		c := conf.LogTarget{Format: "priority", Facility: test.facility, MinLevel: test.most}
		if got := render(t, c, test.level, ""); got != test.want+"\n" {
			t.Errorf("%s.%s with minimum %q: got %q, want %q", test.facility, test.level, test.most, got, test.want)
		}
	}
}

func TestLongLinesAreCut(t *testing.T) {
	long := strings.Repeat("x", 2000)
	for length, want := range map[int]int{0: 1024, 80: 80, 1500: 1500} {
		for _, format := range []string{"local", "rfc5424", "raw"} {
			got := render(t, conf.LogTarget{Format: format, Facility: "local0", Length: length}, Info, long)
			if len(got) != want+1 || !strings.HasSuffix(got, "\n") {
				t.Errorf("%s, length %d: %d bytes ending in %q, want %d and a newline", format, length, len(got), got[len(got)-1], want)
			}
		}
	}
}

func TestLevelFilter(t *testing.T) {
	for word, want := range map[string][]Level{"": {Emerg, Notice, Debug}, "notice": {Emerg, Notice}, "emerg": {Emerg}} {
		n, err := newTarget(conf.LogTarget{Facility: "local0", Level: word}, "haproxy", 123)
		if err != nil {
			t.Fatal(err)
		}
		var got []Level
		for _, lv := range []Level{Emerg, Notice, Debug} {
			if n.wants(lv) {
				got = append(got, lv)
			}
		}
		if len(got) != len(want) {
			t.Errorf("level %q: sends %v, want %v", word, got, want)
		}
	}
}

func TestWrongWords(t *testing.T) {
	tests := []struct {
		target conf.LogTarget
		want   string
	}{
		{conf.LogTarget{}, `log facility "": want one of`},
		{conf.LogTarget{Facility: "local8"}, `log facility "local8": want one of`},
		{conf.LogTarget{Facility: "local0", Format: "xml"}, `log format "xml": want local, rfc3164`},
		{conf.LogTarget{Facility: "local0", Level: "loud"}, `log level "loud": want one of`},
		{conf.LogTarget{Facility: "local0", MinLevel: "loud"}, `log level "loud": want one of`},
		{conf.LogTarget{Facility: "local0", Length: 79}, "log length 79: want 80 to 65535 bytes"},
		{conf.LogTarget{Facility: "local0", Length: 65536}, "log length 65536: want 80 to 65535 bytes"},
	}
	for _, test := range tests {
		_, err := newTarget(test.target, "haproxy", 1)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: got %v, want %s", test.target, err, test.want)
		}
	}
}
