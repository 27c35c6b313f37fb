// Package acl evaluates the ACLs and rules of a proxy, in HAProxy's language. For a connection it
// decides whether to refuse it or which backend it goes to. In mode http it selects the rules that
// apply to a request or an answer.
//
// Compile compiles the ACLs and rules of a frontend once into a Program. A Program is immutable:
// all loops use it at the same time without a lock. A loop owns one Facts and reuses it for every
// connection. Facts also holds the buffers in which values are converted, so that a decision
// allocates nothing. The package starts no goroutine.
//
// Three terms are used in the whole package:
//
//	expr    a fetch with its arguments and converters: hdr(host),lower
//	test    one acl line: an expr and the matcher that holds its patterns
//	cond    tests joined by and, or, not
//
// A condition has one of three values, because bytes of the client may still be missing: false,
// unknown, true. Rules are tried in the order of the configuration. The first true rule decides. If
// an unknown rule comes first, more bytes are needed.
//
// A chain does not try each of its rules. It keeps the patterns of its rules in tables, one index
// for each expr: exact, prefix and suffix matches, and networks. A look-up returns the first rule
// whose pattern matches. If the rule has no other term, that is the result. Otherwise the condition
// of the rule is evaluated as usual. So an index makes a decision faster but never changes it.
//
// A head may be unclear: it begins like a request, but package sniff refuses it. A content rule with
// reject then matches and one with accept does not, as far as that depends on the head.
//
// In mode http the rules of frontends and backends are evaluated for each request and for each
// answer. [Rules.Next] returns the rules that apply one after the other, so that the caller can
// execute each. The text that a rule writes is a [Value]: a format compiled into parts, which are
// appended without allocation.
//
// The semantics are those of HAProxy's configuration.txt, chapter 7. The only known difference is
// the syntax of regular expressions. It is RE2, which has no back references and no look-around,
// and whose run time is linear.
package acl
