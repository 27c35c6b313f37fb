package access

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// blockedWriter takes nothing until open is closed.
type blockedWriter struct {
	open chan struct{}
	text bytes.Buffer
}

func (b *blockedWriter) Write(p []byte) (int, error) {
	<-b.open
	return b.text.Write(p)
}

// While nothing is written, messages do not wait, Sync gives up after a second, and the dropped
// lines are counted.
func TestProcessLogNeverBlocks(t *testing.T) {
	b := &blockedWriter{open: make(chan struct{})}
	log, err := NewProcessLogger("json", b)
	if err != nil {
		t.Fatal(err)
	}
	const sent = 2*processQueue + 1
	for i := range sent {
		log.Info(fmt.Sprint("message ", i))
	}
	begin := time.Now()
	if err := log.Sync(); err == nil || time.Since(begin) < flushTime {
		t.Errorf("sync of a blocked log: %v after %s; want an error after %s", err, time.Since(begin), flushTime)
	}
	close(b.open)
	if err := log.Sync(); err != nil {
		t.Fatal(err)
	}
	text := b.text.String()
	written, dropped := strings.Count(text, `"message `), 0
	for _, report := range regexp.MustCompile(`"lines":(\d+)`).FindAllStringSubmatch(text, -1) {
		n, _ := strconv.Atoi(report[1]) // the writer may come late, and report twice
		dropped += n
	}
	if written < processQueue || written > processQueue+1 || written+dropped != sent {
		t.Errorf("%d of %d lines are written, and %d reported as dropped:\n%.300s", written, sent, dropped, text)
	}
}

// A standard error that is closed, or without a reader, loses lines and delays nothing.
func TestProcessLogWithoutReader(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	log, err := NewProcessLogger("console", w)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		log.Info("lost")
		if err := log.Sync(); err != nil {
			t.Error(err)
		}
	}
}
