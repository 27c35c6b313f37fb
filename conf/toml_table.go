package conf

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// leading are the keys of an inline table that come first in HAProxy's directive, where they have
// no keyword.
var leading = map[string][]string{
	"server":         {"name", "address"},
	"default-server": {},
	"bind":           {"address"},
	"stats socket":   {"address"},
}

// opposites are the HAProxy keywords for `false`.
var opposites = map[string]string{"check": "no-check", "backup": "no-backup", "disabled": "enabled", "tfo": "no-tfo"}

// table converts an inline table to a statement: { name = "a", address = "10.0.0.1:80", check =
// true } becomes `a 10.0.0.1:80 check`.
func (v *tomlValue) table(at Pos, table map[string]any) {
	first, ok := leading[v.w.name]
	if !ok {
		v.errorf(at, "a table, wanted a string")
		return
	}
	var args []string
	for _, key := range first {
		text, isText := table[key].(string)
		if !isText {
			v.errorf(at, "no %s in it, wanted { %s = \"...\", ... }", key, strings.Join(first, ` = "...", `))
			return
		}
		args = append(args, text)
	}
	for _, key := range keysOf(table) {
		if slices.Contains(first, key) {
			continue
		}
		more, err := tableWords(key, table[key])
		if err != nil {
			v.errorf(at, "%s%s", strings.Join(append(args[:min(1, len(args))], ""), ": "), err)
			return
		}
		args = append(args, more...)
	}
	v.say(at, args...)
}

// tableWords converts one key of an inline table to words.
func tableWords(key string, value any) ([]string, error) {
	word := strings.ReplaceAll(key, "_", "-")
	if strings.Contains(key, "-") {
		return nil, fmt.Errorf("unknown key '%s', wanted '%s'", key, tomlKey(key))
	}
	switch value := value.(type) {
	case string:
		if _, isMark := opposites[word]; isMark {
			return nil, fmt.Errorf("%s is %s, wanted true or false", key, describe(value))
		}
		return []string{word, value}, nil
	case int64:
		return []string{word, strconv.FormatInt(value, 10)}, nil
	case bool:
		if value {
			return []string{word}, nil
		}
		if no, ok := opposites[word]; ok {
			return []string{no}, nil
		}
		return nil, fmt.Errorf("%s = false, wanted the key left out", key)
	}
	return nil, fmt.Errorf("%s is %s, wanted a string, a number or true", key, describe(value))
}
