package conf

import (
	"testing"
	"time"
)

func TestDurationsAreHAProxys(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0": 0, "5000": 5 * time.Second, "5s": 5 * time.Second, "1us": time.Millisecond, "1500us": 2 * time.Millisecond,
		"2m": 2 * time.Minute, "3h": 3 * time.Hour, "24d": 24 * 24 * time.Hour, "2147483647": maxDuration,
	} {
		if got, err := parseDuration(text, false); err != nil || got != want {
			t.Errorf("%q: got %v, %v, wanted %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "s", "-1s", "1.5s", "5 s", "5S", "1h30m", "25d", "2147483648", "99999999999999999999s", "+5s", "0x5s"} {
		if got, err := parseDuration(text, false); err == nil {
			t.Errorf("%q: got %v, wanted an error", text, got)
		}
	}
	if _, err := parseDuration("5000", true); err == nil {
		t.Error("a bare number passed where a unit is demanded")
	}
}

func TestFormattedDurationsParse(t *testing.T) {
	for _, d := range []time.Duration{0, time.Millisecond, 1500 * time.Millisecond, 90 * time.Second, 25 * time.Hour, maxDuration} {
		text := FormatDuration(d)
		if got, err := parseDuration(text, true); err != nil || got != d {
			t.Errorf("%v became %q, then %v, %v", d, text, got, err)
		}
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{"0B": 0, "64KiB": 64 << 10, "64MiB": 64 << 20, "1GB": 1e9, "10kB": 10000, "2TiB": 2 << 40} {
		got, err := parseSize(text)
		if err != nil || got != want {
			t.Errorf("%q: got %d, %v, wanted %d", text, got, err, want)
		}
		if again, err := parseSize(formatSize(got)); err != nil || again != got {
			t.Errorf("%d became %q, then %d, %v", got, formatSize(got), again, err)
		}
	}
	for _, text := range []string{"", "64", "MiB", "64mib", "64 MiB", "-1B", "9999999999TiB", "8388608TiB"} {
		if got, err := parseSize(text); err == nil {
			t.Errorf("%q: got %d, wanted an error", text, got)
		}
	}
}
