package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"
)

// tracer is a running strace.
type tracer struct {
	process *exec.Cmd
	drained chan struct{} // closed when strace has closed its standard error
}

// attach starts strace and returns when it traces all threads of the process.
func attach(pid int, file string) (*tracer, error) {
	t := &tracer{drained: make(chan struct{})}
	t.process = exec.Command("strace", "-f", "-s", "0", "-e", "signal=none", "-o", file, "-p", fmt.Sprint(pid))
	said, err := t.process.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := t.process.Start(); err != nil {
		return nil, fmt.Errorf("%w (apt-get install strace)", err)
	}
	first := make(chan string, 1)
	go func() {
		defer close(t.drained)
		r := bufio.NewReader(said)
		line, _ := r.ReadString('\n')
		first <- line
		_, _ = io.Copy(io.Discard, r)
	}()
	if line := <-first; !strings.Contains(line, "attached") {
		_ = t.detach()
		return nil, fmt.Errorf("strace does not attach to process %d: %s", pid, strings.TrimSpace(line))
	}
	return t, nil
}

// detach makes strace write the rest of its output, and waits until it ends.
func (t *tracer) detach() error {
	_ = t.process.Process.Signal(os.Interrupt)
	late := time.AfterFunc(timeLimit, func() { _ = t.process.Process.Kill() })
	defer late.Stop()
	<-t.drained
	err := t.process.Wait()
	if ended := new(exec.ExitError); errors.As(err, &ended) {
		return nil // strace was ended by our signal
	}
	return err
}

// call is one system call in a trace.
type call struct {
	name   string
	args   []string
	result string
}

// The lines of strace -f: a complete call, or the beginning and the end of a call that a call
// of another thread interrupted.
var (
	whole = regexp.MustCompile(`^(\d+) +(\w+)\((.*)\) += (.*)$`)
	begun = regexp.MustCompile(`^(\d+) +(\w+)\((.*) <unfinished \.\.\.>$`)
	over  = regexp.MustCompile(`^(\d+) +<\.\.\. (\w+) resumed>(.*)\) += (.*)$`)
)

// readCalls returns the finished calls of a trace, in order.
func readCalls(trace io.Reader) ([]call, error) {
	var calls []call
	open := map[string]string{} // by thread: arguments of its unfinished call
	lines := bufio.NewScanner(trace)
	for lines.Scan() {
		line := lines.Text()
		if m := begun.FindStringSubmatch(line); m != nil {
			open[m[1]] = m[3]
		} else if m := over.FindStringSubmatch(line); m != nil {
			calls = append(calls, newCall(m[2], open[m[1]]+m[3], m[4]))
		} else if m := whole.FindStringSubmatch(line); m != nil {
			calls = append(calls, newCall(m[2], m[3], m[4]))
		}
	}
	return calls, lines.Err()
}

func newCall(name, args, result string) call {
	return call{name: name, args: strings.Split(args, ", "), result: result}
}
