package diff

import (
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/conf"
)

// match pairs a pattern of paths of fields with a text.
type match struct {
	paths *regexp.Regexp
	text  string
}

func matches(pairs ...string) (all []match) {
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, match{regexp.MustCompile(pairs[i]), pairs[i+1]})
	}
	return all
}

// find returns the text of the first pattern that fits.
func find(all []match, path string) (string, bool) {
	for _, m := range all {
		if m.paths.MatchString(path) {
			return m.text, true
		}
	}
	return "", false
}

// silent are the fields that no valid file changes alone, with the reason.
var silent = matches(
	`\.Pos(\.|$)|\.At$`, "a position",
	`\.Wildcard$`, "follows from Host and IP",
	`(Cond|Fail)\.Text$`, "follows from the terms",
	`\.Parts(\.|$)`, "follows from the text",
	`\.Anon\.Name$`, "an anonymous ACL has no name",
	`^Global\.StatsSockets\.Address\.V`, "bind only",
	`^Backends\.Servers\.Address\.(V|FD$)`, "bind only",
	`\.(Log|Targets)\.Address\.(V|FD$)`, "bind only",
	`^Backends\.Log\.(Format|Line|DontLog|SeparateErrors)`, "frontends only",
	`\.HTTPRequest\.(Status|Reason)$`, "http-response only",
	`\.HTTPResponse\.Redirect\.Kind$`, "location only, the zero value",
)

// needed are pointers that are never nil.
var needed = matches(`\.Redirect$|\.Redirect\.To$|Answer\.Format$|Headers\.Value$`, "")

// unordered are the lists whose order has no meaning.
var unordered = matches(`^Frontends$|^Backends$|\.Binds$|^Global\.Log$|^Global\.SetCap$|\.Targets$|\.ACLs$|StatsSockets$|Monitor\.Fail$|ErrorFiles$`, "")

// wanted has the kind of the change and the start of its item for each field.
var wanted = matches(
	`^(Frontends|Backends)(\.Name|\.Listen)?$`, "section|",
	`\.StatsSockets`, "stats socket|stats socket ",
	`\.StatsTimeout`, "timeout|stats timeout",
	`\.HardStop`, "setting|hard-stop-after",
	`\.LogTag`, "log|log-tag",
	`\.Timeout\.`, "timeout|timeout ",
	`\.Binds\.(MaxConn|Backlog)$`, "limit|bind ",
	`\.Binds`, "bind|bind ",
	`\.Servers`, "server|server ",
	`\.ACLs`, "rule|acl x",
	`^Frontends\.Connection`, "rule|tcp-request connection",
	`^Frontends\.Content`, "rule|tcp-request content",
	`\.InspectDelay`, "timeout|tcp-request inspect-delay",
	`\.HTTPRequest`, "rule|http-request",
	`\.HTTPResponse`, "rule|http-response",
	`\.UseBackend`, "rule|use_backend",
	`\.DefaultBackend`, "rule|default_backend",
	`\.Monitor\.URI`, "setting|monitor-uri",
	`\.Monitor\.Fail`, "rule|monitor fail",
	`\.Captures`, "log|capture ",
	`\.Mode$`, "setting|mode",
	`\.Log\.(Format|Line)`, "log|",
	`\.Log\.(DontLog|Separate)`, "log|option ",
	`\.Log|\.Targets`, "log|log ",
	`\.ErrorFiles\.Content`, "file|errorfile 50",
	`\.ErrorFiles`, "error file|error",
	`\.Cookie`, "cookie|cookie",
	`\.HTTPCheck\.(Headers|Body)`, "setting|http-check send",
	`\.HTTPCheck\.(Expect|Not)`, "setting|http-check expect",
	`\.HTTPCheck\.Disable`, "setting|http-check disable-on-404",
	`\.HTTPCheck`, "option|option httpchk",
	`\.Balance`, "setting|balance",
	`\.Retries`, "setting|retries",
	`\.ForwardFor`, "option|option forwardfor",
	`\.(Redispatch|RedispatchEvery|AllBackups|PretendKeepAlive|Persist|SmartConnect|SmartAccept|IgnoreProbes|Conn)$`, "option|",
	`\.(MaxConn|Backlog|UlimitN|BufferBudget)$`, "limit|",
	`^Global\.(StrictLimits|Threads|UID|GID|User|Group|Chroot|SetCap|Daemon|MasterWorker|PidFile)$`, "setting|",
)

// TestEveryField changes each field of conf.Config alone, wherever the sample sets it, and looks for
// a change of the right kind that names the section and the item. A field that the sample does not
// set is an error, so a new field of conf.Config cannot be forgotten.
func TestEveryField(t *testing.T) {
	page := filepath.Join(t.TempDir(), "page")
	if err := os.WriteFile(page, []byte("HTTP/1.0 503 Down\r\n\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("PAGE", page, "ANON", "req.hdr(host),field(1,:) -i -m str -f /pattern a b").Replace(sample)
	w := &walker{T: t, was: parse(t, "was.cfg", text), is: parse(t, "is.cfg", text), set: make(map[string]int)}
	if found := Between(w.was, w.is); found != nil {
		t.Fatalf("the same file differs: %v", found)
	}
	w.section = "global"
	w.value(reflect.ValueOf(&w.is.Global).Elem(), "Global")
	w.proxies()
	for _, path := range fieldsOf(reflect.TypeFor[conf.Config](), "") {
		if _, skip := find(silent, path); !skip && w.set[path] == 0 {
			t.Errorf("the sample never sets %s", path)
		}
	}
	t.Logf("%d fields", len(w.set))
}

// walker changes the fields of a configuration one after the other and puts them back.
type walker struct {
	*testing.T
	was, is *conf.Config
	section string         // in which a change is expected
	set     map[string]int // by path: how often the field was changed
}

func (w *walker) proxies() {
	for _, f := range w.is.Frontends {
		w.section = (&proxy{listen: f.Listen}).title(key{"frontend", f.Name})
		w.value(reflect.ValueOf(f).Elem(), "Frontends")
	}
	for _, b := range w.is.Backends {
		w.section = (&proxy{listen: b.Listen}).title(key{"backend", b.Name})
		w.value(reflect.ValueOf(b).Elem(), "Backends")
	}
	w.section = "frontend plain"
	w.without(reflect.ValueOf(&w.is.Frontends).Elem(), "Frontends", 1)
	w.section = "backend pages"
	w.without(reflect.ValueOf(&w.is.Backends).Elem(), "Backends", len(w.is.Backends)-1)
}

// value changes a value, and what it contains.
func (w *walker) value(v reflect.Value, path string) {
	if _, skip := find(silent, path); skip || v.IsZero() && v.Kind() != reflect.Struct {
		return
	}
	switch {
	case isLeaf(v.Type()):
		if !v.IsZero() {
			w.change(v, path, another(v))
		}
	case v.Kind() == reflect.Struct:
		w.fields(v, path)
	case v.Kind() == reflect.Pointer:
		if _, never := find(needed, path); !never {
			w.change(v, path, reflect.Zero(v.Type()))
		}
		w.set[path]++
		w.value(v.Elem(), path)
	case v.Kind() == reflect.Slice:
		w.slice(v, path)
	default:
		w.Fatalf("%s: a %s, which this test cannot change", path, v.Kind())
	}
}

func (w *walker) fields(v reflect.Value, path string) {
	if e, ok := reflect.TypeAssert[conf.ErrorFile](v); ok && e.Location != "" {
		defer w.keep(v.FieldByName("Content"))() // it follows from the location
	}
	for i := range v.NumField() {
		w.value(v.Field(i), join(path, v.Type().Field(i)))
	}
}

// keep makes a field zero, so that it is not changed, until the returned function is called.
func (w *walker) keep(v reflect.Value) func() {
	old := reflect.New(v.Type()).Elem()
	old.Set(v)
	v.SetZero()
	return func() { v.Set(old) }
}

func (w *walker) slice(v reflect.Value, path string) {
	w.without(v, path, v.Len()-1)
	if _, skip := find(unordered, path); !skip && v.Len() > 1 && !reflect.DeepEqual(v.Index(0).Interface(), v.Index(1).Interface()) {
		swapped := reflect.AppendSlice(reflect.MakeSlice(v.Type(), 0, v.Len()), v)
		reflect.Swapper(swapped.Interface())(0, 1)
		w.change(v, path, swapped)
	}
	for i := range v.Len() {
		element := v.Index(i)
		if element.Kind() == reflect.Pointer {
			element = element.Elem()
		}
		w.value(element, path)
	}
}

// without changes a list to one without the element n.
func (w *walker) without(v reflect.Value, path string, n int) {
	shorter := reflect.AppendSlice(reflect.MakeSlice(v.Type(), 0, v.Len()), v.Slice(0, n))
	w.change(v, path, reflect.AppendSlice(shorter, v.Slice(n+1, v.Len())))
}

// change sets a value, looks for the change, and sets the old value again.
func (w *walker) change(v reflect.Value, path string, to reflect.Value) {
	old := reflect.New(v.Type()).Elem()
	old.Set(v)
	v.Set(to)
	found := Between(w.was, w.is)
	v.Set(old)
	w.set[path]++
	want, known := find(wanted, path)
	kind, item, _ := strings.Cut(want, "|")
	if !known {
		w.Errorf("%s: no kind of change is wanted for it", path)
	}
	for _, c := range found {
		_, name, _ := strings.Cut(w.section, " ")
		named := c.Section == w.section || c.Kind == Section && strings.HasSuffix(c.Section, name)
		ofKind := c.Kind.String() == kind || c.Kind == File && strings.HasSuffix(path, ".Answer.Content")
		if named && ofKind && strings.HasPrefix(c.Item, item) {
			return
		}
	}
	w.Errorf("%s of %s, from %v to %v: wanted %s '%s', got %q", path, w.section, old, to, kind, item, told(found))
}

// isLeaf reports whether values of the type are changed as a whole.
func isLeaf(t reflect.Type) bool {
	switch t {
	case reflect.TypeFor[netip.Addr](), reflect.TypeFor[netip.Prefix](), reflect.TypeFor[[]byte]():
		return true
	}
	return t.Kind() != reflect.Struct && t.Kind() != reflect.Pointer && t.Kind() != reflect.Slice
}

// another returns another value, for one that is not zero. For an enumeration that is zero, which
// needs no other field.
func another(v reflect.Value) reflect.Value {
	var other any
	switch old := v.Interface().(type) {
	case netip.Addr:
		other = old.Next()
	case netip.Prefix:
		other = netip.PrefixFrom(old.Addr(), old.Bits()-1)
	case []byte:
		other = append(append([]byte(nil), old...), 'x')
	case time.Duration:
		other = old + time.Second
	case string:
		other = old + "x"
	case bool:
		other = !old
	case conf.LogKind:
		other = conf.LogStderr
	case conf.LogFormat:
		other = old - 1 // a log-format stays, whatever it is
	case conf.Mode, conf.Network, conf.ConnMode, conf.HTTPAction, conf.AnswerKind, conf.RedirectKind, conf.Action:
		return reflect.Zero(v.Type())
	default: // a number
		if v.CanUint() {
			return reflect.ValueOf(v.Uint() + 1).Convert(v.Type())
		}
		return reflect.ValueOf(v.Int() + 1).Convert(v.Type())
	}
	return reflect.ValueOf(other)
}

// fieldsOf returns the paths of all fields in a type. A list has one path for all its elements.
func fieldsOf(t reflect.Type, path string) []string {
	for !isLeaf(t) && t.Kind() != reflect.Struct {
		t = t.Elem()
	}
	if isLeaf(t) {
		return []string{path}
	}
	var all []string
	for f := range t.Fields() {
		all = append(all, fieldsOf(f.Type, join(path, f))...)
	}
	return all
}

// join returns the path of a field. The fields of an embedded struct have the path of its own.
func join(path string, f reflect.StructField) string {
	switch {
	case f.Anonymous:
		return path
	case path == "":
		return f.Name
	}
	return path + "." + f.Name
}
