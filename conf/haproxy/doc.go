// Package haproxy knows how HAProxy cuts its configuration into lines and
// words (configuration.txt 2.1 to 2.3): comments, backslashes, weak and strong
// quotes, environment variables. It knows no directive; package conf gives the
// words their meaning, those of haproxy.cfg and those inside TOML strings.
//
// Everything here is a pure function of its arguments and may be called from
// any goroutine.
package haproxy
