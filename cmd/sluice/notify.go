package main

import (
	"net"
	"os"
)

// notifier tells systemd how the start goes (sd_notify(3)). It is dialled
// before the chroot and kept: the socket's path does not exist inside. That is
// why go-systemd's SdNotify, which dials for each message, is not used.
type notifier struct{ conn net.Conn }

// dialNotify returns a notifier that says nothing where NOTIFY_SOCKET is unset.
func dialNotify() (notifier, error) {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return notifier{}, nil
	}
	conn, err := net.Dial("unixgram", path)
	return notifier{conn}, err
}

// say sends one message, such as "READY=1". A lost one costs systemd its
// knowledge, not us our traffic, so errors are not reported.
func (n notifier) say(state string) {
	if n.conn != nil {
		_, _ = n.conn.Write([]byte(state))
	}
}
