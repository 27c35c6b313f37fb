// Package acl turns facts about a connection into a decision: refuse it, or
// which backend it goes to.
//
// A frontend's ACLs and rules are compiled once, by Compile, into a Program. A
// Program is immutable: all loops use it at the same time without a lock. The
// Facts handed to it are owned by one loop, which reuses them from connection to
// connection; they also hold the scratch in which values are folded or split, so
// that deciding allocates nothing.
//
// Three words carry the package:
//
//	expr    a fetch with its arguments and converters: hdr(host),lower
//	test    one acl line: an expr and the matcher that holds its patterns
//	cond    tests joined by and, or, not
//
// Truth has three values, as bytes may still be missing: false, unknown, true.
// Rules are tried in the order they were written; the first true one decides and
// the first unknown one means that more bytes are needed.
//
// A chain does not try its rules one by one. Patterns of exact, prefix and
// suffix matches and networks of all its rules lie in tables, those of each expr
// in an index; a lookup names the lowest rule whose pattern matches. Where the
// pattern is all that a rule asks for, that is the answer. Else tables only narrow
// down: a rule named by one is evaluated like any other, so an index can make the
// answer fast, but not different.
//
// In mode http the rules of frontends and backends are asked request by request,
// and again for the answer: [Rules.Next] names the rules that hold, one after the
// other, so that the caller can act on each. What a rule writes is a [Value], a
// format compiled into parts that are appended without allocating.
//
// Semantics are those of HAProxy's configuration.txt, chapter 7; the one known
// difference is the regular expressions, which are RE2 (no back references, no
// look-around) and cannot be made to run for long.
package acl
