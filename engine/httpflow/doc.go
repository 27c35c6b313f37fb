// Package httpflow follows HTTP/1 over the two connections of a session: where
// each message ends, whether it can be trusted, and what its head is to become
// on the way. It touches no byte of a body.
package httpflow
