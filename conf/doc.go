// Package conf turns the words of the operator into one checked, immutable
// value, Config.
//
// Two formats say the same: haproxy.cfg and Sluice's TOML. Both become
// sections of statements (section.go), each statement a directive in HAProxy's
// words with its position; one table of words (words.go) gives them meaning.
// So a directive is parsed in one place, whichever file it came from:
//
//	haproxy.cfg --readCfg---> sections --build--> Config --Check--> Problems
//	file.toml ----readTOML--> sections
//
// WriteTOML goes back from a Config to TOML.
//
// The package opens no socket and starts no goroutine. A Config may be read
// from any goroutine once loaded; nobody changes it.
package conf
