package conf

import (
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// maxDuration is HAProxy's limit: its timers are 31-bit numbers of milliseconds.
const maxDuration = math.MaxInt32 * time.Millisecond

// timeUnits are HAProxy's units (configuration.txt 2.5), the largest first.
var timeUnits = []struct {
	name string
	unit time.Duration
}{
	{"d", day}, {"h", time.Hour}, {"m", time.Minute},
	{"s", time.Second}, {"ms", time.Millisecond}, {"us", time.Microsecond},
}

// parseDuration parses a time such as 5s and rounds it up to milliseconds, as HAProxy does. A
// number without a unit is in milliseconds. It is an error if demandUnit is set.
func parseDuration(text string, demandUnit bool) (time.Duration, error) {
	return parseTime(text, demandUnit, maxDuration)
}

const day = 24 * time.Hour

// parseTime is parseDuration with the upper limit most.
func parseTime(text string, demandUnit bool, most time.Duration) (time.Duration, error) {
	tooLong := fmt.Errorf("'%s', wanted at most %dms, %.1f days", text, most.Milliseconds(), most.Truncate(day/10).Hours()/24)
	digits := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyz")
	n, err := strconv.ParseUint(digits, 10, 63)
	unit, known := unitOf(text[len(digits):])
	switch {
	case err != nil && isRangeError(err):
		return 0, tooLong
	case err != nil || !known:
		return 0, fmt.Errorf("'%s', wanted a time such as 500ms, 5s, 10m, 2h or 1d", text)
	case digits == text && demandUnit && n != 0:
		return 0, fmt.Errorf("'%s' has no unit, wanted a time such as %sms or %ss", text, text, text)
	case n > uint64(most/unit):
		return 0, tooLong
	}
	d := time.Duration(n) * unit
	if rest := d % time.Millisecond; rest > 0 {
		d += time.Millisecond - rest
	}
	return d, nil
}

func isRangeError(err error) bool {
	return strings.HasSuffix(err.Error(), strconv.ErrRange.Error())
}

func unitOf(name string) (time.Duration, bool) {
	if name == "" {
		return time.Millisecond, true
	}
	for _, u := range timeUnits {
		if u.name == name {
			return u.unit, true
		}
	}
	return 0, false
}

// FormatDuration writes a time as the configuration has it, in the largest unit that needs no
// fraction.
func FormatDuration(d time.Duration) string {
	for _, u := range timeUnits {
		if d%u.unit == 0 && d >= u.unit {
			return fmt.Sprintf("%d%s", d/u.unit, u.name)
		}
	}
	return "0s"
}

var sizeUnits = []struct {
	name string
	unit int64
}{
	{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
	{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"B", 1},
}

// parseSize parses a size such as 64MiB and returns the number of bytes. The unit is required.
func parseSize(text string) (int64, error) {
	digits := strings.TrimRight(text, "BKMGTik")
	n, err := strconv.ParseUint(digits, 10, 63)
	for _, u := range sizeUnits {
		if err != nil || u.name != text[len(digits):] {
			continue
		}
		if hi, lo := bits.Mul64(n, uint64(u.unit)); hi == 0 && lo <= math.MaxInt64 {
			return int64(lo), nil
		}
		return 0, fmt.Errorf("'%s', wanted less than 8388608TiB", text)
	}
	return 0, fmt.Errorf("'%s', wanted a size such as 64KiB, 64MiB or 1GiB", text)
}

// formatSize writes a size in the largest binary unit that needs no fraction.
func formatSize(n int64) string {
	for _, u := range sizeUnits[:4] {
		if n%u.unit == 0 && n >= u.unit {
			return fmt.Sprintf("%d%s", n/u.unit, u.name)
		}
	}
	return fmt.Sprintf("%dB", n)
}
