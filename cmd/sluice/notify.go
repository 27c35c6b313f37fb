package main

import (
	"fmt"
	"net"
	"os"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"
)

// notifier sends the state of the process to systemd (sd_notify(3)). It connects
// before the chroot, because the socket's path does not exist inside. go-systemd's
// SdNotify connects for each message and cannot be used.
type notifier struct{ conn net.Conn }

// dialNotify returns a notifier that sends nothing if NOTIFY_SOCKET is unset.
func dialNotify() (notifier, error) {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return notifier{}, nil
	}
	conn, err := net.Dial("unixgram", path)
	return notifier{conn}, err
}

// openNotify is dialNotify with a warning in place of the error.
func openNotify(log *zap.Logger) notifier {
	n, err := dialNotify()
	if err != nil {
		log.Warn("systemd will not hear of this process: " + err.Error())
	}
	return n
}

// say sends one message, such as "READY=1". Errors are ignored: traffic does not
// depend on systemd.
func (n notifier) say(state string) {
	if n.conn != nil {
		_, _ = n.conn.Write([]byte(state))
	}
}

// reloading says that a reload begins. systemd compares the time with that of its signal, so that an
// earlier reload does not count as the answer (systemd.service(5), Type=notify-reload).
func (n notifier) reloading() {
	var now unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) == nil {
		n.say(fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d", now.Nano()/int64(time.Microsecond)))
	}
}
