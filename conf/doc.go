// Package conf parses configuration files into one checked, immutable value, Config.
//
// There are two file formats with the same content: haproxy.cfg and Sluice's TOML. Both are parsed
// into sections of statements (section.go). A statement is a directive in HAProxy's language with
// its position. One table of directives (words.go) defines their meaning. So each directive is
// parsed in one place, for both formats:
//
//	haproxy.cfg --readCfg---> sections --build--> Config --Check--> Problems
//	file.toml ----readTOML--> sections
//
// WriteTOML writes a Config as TOML.
//
// The package opens no socket and starts no goroutine. A loaded Config is never changed and may be
// read from any goroutine.
package conf
