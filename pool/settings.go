package pool

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"sluice/conf"
)

// effect is the effect of a change on the checks of a server.
type effect uint8

const (
	unaffected effect = iota // the checks continue
	again                    // the checks begin again, because intervals or timeouts differ
	anew                     // health, too, is as at the start of the process
)

// setting is a setting of a server or of a backend that a reload can change while the backend is in
// use. text returns its value for Change.
type setting[C any] struct {
	kind   ChangeKind
	name   string
	effect effect
	text   func(*C) string
}

// backendSettings are the settings of a backend that this package uses.
var backendSettings = []setting[conf.Backend]{
	{Setting, "mode", unaffected, func(c *conf.Backend) string { return c.Mode.String() }},
	{Setting, "balance", unaffected, balanceText},
	{Setting, "retries", unaffected, func(c *conf.Backend) string { return strconv.Itoa(c.Retries) }},
	{Setting, "option redispatch", unaffected, func(c *conf.Backend) string { return redispatchText(c) }},
	{Setting, "option allbackups", unaffected, func(c *conf.Backend) string { return onOff(c.AllBackups) }},
	{Setting, "option persist", unaffected, func(c *conf.Backend) string { return onOff(c.Persist) }},
	{Setting, "timeout connect", again, func(c *conf.Backend) string { return timeText(c.Timeout.Connect) }},
	{CheckSetting, "timeout check", again, func(c *conf.Backend) string { return timeText(c.Timeout.Check) }},
	{CheckSetting, "request of checks", anew, requestText},
	{CheckSetting, "http-check expect", unaffected, expectText},
	{CheckSetting, "http-check disable-on-404", unaffected, func(c *conf.Backend) string { return onOff(c.HTTPCheck != nil && c.HTTPCheck.DisableOn404) }},
}

// serverSettings are the settings that a server line alone determines. Address, weight and `disabled`
// are not among them: commands can change these three as well, so Follow compares them.
var serverSettings = []setting[conf.Server]{
	{Setting, "backup", unaffected, func(c *conf.Server) string { return onOff(c.Backup) }},
	{Setting, "cookie", unaffected, func(c *conf.Server) string { return orNone(c.Cookie) }},
	{Setting, "tfo", unaffected, func(c *conf.Server) string { return onOff(c.TFO) }},
	{CheckSetting, "check", anew, func(c *conf.Server) string { return onOff(c.Check) }},
	{CheckSetting, "inter", again, func(c *conf.Server) string { return timeText(c.Inter) }},
	{CheckSetting, "fastinter", again, func(c *conf.Server) string { return timeText(c.FastInter) }},
	{CheckSetting, "downinter", again, func(c *conf.Server) string { return timeText(c.DownInter) }},
	{CheckSetting, "rise", unaffected, func(c *conf.Server) string { return strconv.Itoa(c.Rise) }},
	{CheckSetting, "fall", unaffected, func(c *conf.Server) string { return strconv.Itoa(c.Fall) }},
}

// compare returns the changes from old to fresh, without the names of backend and server, and the
// strongest of their effects.
func compare[C any](all []setting[C], old, fresh *C) (changes []Change, strongest effect) {
	for _, s := range all {
		if was, is := s.text(old), s.text(fresh); was != is {
			changes = append(changes, Change{Kind: s.kind, What: s.name, Was: was, Is: is})
			strongest = max(strongest, s.effect)
		}
	}
	return changes, strongest
}

// alike reports whether two server lines are equal in all settings. Their positions may differ.
func alike(a, b *conf.Server) bool {
	x, y := *a, *b
	x.Pos, y.Pos = conf.Pos{}, conf.Pos{}
	return x == y
}

func balanceText(c *conf.Backend) string {
	return strings.Join(append([]string{algorithmName(c)}, c.Balance.Args...), " ")
}

func requestText(c *conf.Backend) string {
	if c.HTTPCheck == nil {
		return "none"
	}
	return strconv.Quote(string(appendRequest(nil, c.HTTPCheck)))
}

func expectText(c *conf.Backend) string {
	if c.HTTPCheck == nil || c.HTTPCheck.Expect == nil {
		return "none"
	}
	var b strings.Builder
	if c.HTTPCheck.Not {
		b.WriteString("! ")
	}
	b.WriteString("status ")
	for i, r := range c.HTTPCheck.Expect {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%d-%d", r.Low, r.High)
	}
	return b.String()
}

func redispatchText(c *conf.Backend) string {
	if !c.Redispatch {
		return "off"
	}
	return strconv.Itoa(c.RedispatchEvery)
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// timeText returns a time with its unit, such as 1m or 2s.
func timeText(d time.Duration) string {
	if d == 0 {
		return "none"
	}
	return conf.FormatDuration(d)
}
