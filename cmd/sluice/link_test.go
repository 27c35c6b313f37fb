package main

import (
	"errors"
	"io"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sluice/conf"
)

// linkPair returns both ends of a link.
func linkPair(t *testing.T) (master, worker link) {
	t.Helper()
	master, far, err := newLink()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	fd, err := unix.Dup(int(far.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	far.Close()
	if worker, err = linkOf(fd); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { worker.Close() })
	return master, worker
}

// A bundle arrives as it was sent, also with more descriptors than one message holds. The end of the
// master is the end of the file.
func TestBundleArrives(t *testing.T) {
	master, worker := linkPair(t)
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	const many = 2*mostRights + 7
	sent := &bundle{Serial: 7, Began: time.Now(), Problems: conf.Problems{{Text: "a"}},
		Sources: []conf.Source{{Name: "a.cfg", Data: []byte(strings.Repeat("x", 1<<20))}},
		Files:   map[string][]byte{"/etc/list": []byte("one\n")}, Names: map[string]netip.Addr{"a.test": netip.MustParseAddr("192.0.2.1")},
		Kept: []int{-1, 0}, Sockets: many - 1, Logs: []string{"file@/log"}}
	failed := make(chan error, 1)
	go func() {
		err := master.send(sent, slices.Repeat([]int{int(null.Fd())}, many))
		failed <- errors.Join(err, master.Close())
	}()
	got, fds, err := worker.receive()
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll(fds)
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	if got.Serial != 7 || got.Error != "" || len(got.Problems) != 1 || len(got.Sources[0].Data) != 1<<20 || !maps.Equal(got.Names, sent.Names) ||
		string(got.Files["/etc/list"]) != "one\n" || !slices.Equal(got.Kept, sent.Kept) || len(fds) != many {
		t.Errorf("got %+v with %d descriptors", got, len(fds))
	}
	for _, fd := range fds {
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
			t.Fatalf("descriptor %d: flags %#x, %v; want close-on-exec", fd, flags, err)
		}
	}
	if _, _, err := worker.receive(); !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %v, want EOF", err)
	}
}

// Nobody can change a bundle. A worker takes no other kind of file.
func TestBundleIsSealed(t *testing.T) {
	f, err := (&bundle{Serial: 1}).seal()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte("x"), 0); !errors.Is(err, unix.EPERM) {
		t.Errorf("write: %v", err)
	}
	for _, size := range []int64{0, 1 << 20} {
		if err := f.Truncate(size); !errors.Is(err, unix.EPERM) {
			t.Errorf("truncate to %d: %v", size, err)
		}
	}
	if _, err := unix.Mmap(int(f.Fd()), 0, 1, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); !errors.Is(err, unix.EPERM) {
		t.Errorf("mmap: %v", err)
	}
	fd, err := unix.MemfdCreate("open", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unseal(fd); err == nil || !strings.Contains(err.Error(), "not sealed") {
		t.Errorf("an unsealed file: %v", err)
	}
}

// The master obeys only what a worker may say, and only when it may say it.
func TestMasterDistrustsItsWorker(t *testing.T) {
	for _, words := range [][]string{
		{""}, {"ready now"}, {"reload"}, {"reload x"}, {"reload 0"}, {"reload -1"}, {"reload 2", "reload 2"}, {"compare 3", "reload 2"},
		{"done"}, {"refused"}, {"/etc/passwd"}, {"reload 99999999999999999999"},
	} {
		m := &master{jobs: jobs{answer: make(chan bool, 1)}}
		var err error
		for _, word := range words {
			err = m.heard(word)
		}
		if err == nil {
			t.Errorf("%q: no error", words)
		}
	}
	m := &master{jobs: jobs{answer: make(chan bool, 1)}}
	m.asked.Store(true)
	if err := m.heard(sayDone); err != nil {
		t.Error(err)
	}
	<-m.answer // the master does its part now
	if err := m.heard(sayDone); err == nil {
		t.Error("a second answer to a bundle: no error")
	}
	master, worker := linkPair(t)
	if err := worker.say(strings.Repeat("x", 1000)); err != nil {
		t.Fatal(err)
	}
	if word, err := master.hear(longestWord); err != nil || len(word) > longestWord {
		t.Errorf("a long message: %q, %v", word, err)
	}
	before := len(linksOf(t, os.Getpid()))
	if err := worker.pass([]int{0}); err != nil {
		t.Fatal(err)
	}
	if word, err := master.hear(longestWord); word != "1" || len(linksOf(t, os.Getpid())) != before {
		t.Errorf("got %q, %v, and %v", word, err, linksOf(t, os.Getpid()))
	}
}

// The warnings of a master arrive, however many and long they are. Anything else, and the end of the
// master, is an error.
func TestCommitArrives(t *testing.T) {
	master, worker := linkPair(t)
	sent := slices.Repeat([]string{"a warning", strings.Repeat("x", 2*longestWarning)}, 500)
	failed := make(chan error, 1)
	go func() {
		failed <- errors.Join(master.sayCommit(sent), master.sayCommit(nil), master.say("ready"), master.Close())
	}()
	got, err := worker.hearCommit()
	if err != nil || len(got) != len(sent) || got[0] != sent[0] || got[999] != sent[999][:longestWarning-len(sayWarning)] {
		t.Errorf("got %d warnings, %v", len(got), err)
	}
	if got, err := worker.hearCommit(); err != nil || got != nil {
		t.Errorf("without a warning: %q, %v", got, err)
	}
	if _, err := worker.hearCommit(); err == nil || !strings.Contains(err.Error(), `says "ready"`) {
		t.Errorf("another word: %v", err)
	}
	if _, err := worker.hearCommit(); !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %v, want EOF", err)
	}
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
}
