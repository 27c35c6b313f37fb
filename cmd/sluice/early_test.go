package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Signals that come while the files are read take effect when the start is over.
func TestSignalsDuringTheStart(t *testing.T) {
	for _, args := range [][]string{nil, {"-W"}} {
		text, err := os.ReadFile(config(t, echo(t)))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "pipe.cfg")
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
		p, closeSocket := command(t, append(append([]string{"run"}, args...), "-f", path)...)
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		closeSocket()
		late := time.AfterFunc(20*time.Second, func() { _ = p.Process.Kill() })
		file, err := os.OpenFile(path, os.O_WRONLY, 0) // waits until the process opens it
		if err != nil {
			t.Fatal(err)
		}
		p.signal(t, syscall.SIGHUP)
		p.signal(t, syscall.SIGUSR1)
		if _, err := file.Write(text); err != nil {
			t.Fatal(err)
		}
		_ = file.Close()
		err = p.Wait()
		late.Stop()
		for _, want := range []string{"ready, pid ", "SIGHUP: reload of " + path, "SIGUSR1: draining"} {
			if said := p.stderr.String(); err != nil || !strings.Contains(said, want) {
				t.Errorf("%v: %v, no '%s' in\n%s", args, err, want, said)
			}
		}
	}
}
