// Package haproxy splits HAProxy's configuration language into lines and words (configuration.txt
// 2.1 to 2.3). It handles comments, backslashes, weak and strong quotes, and environment variables.
// It knows no directive: package conf interprets the words, which come from haproxy.cfg or from
// strings in TOML.
//
// All functions depend only on their arguments and may be called from any goroutine.
package haproxy
