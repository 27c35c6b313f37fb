package kernel_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sluice/engine/kernel"
)

var (
	sequences = flag.Int("fidelity", env("FIDELITY", 2000), "number of sequences that TestFidelity runs; also the environment variable FIDELITY")
	firstSeed = flag.Uint64("fidelityseed", 0, "seed of the first sequence of each family; 0: a random one")
	onlyOne   = flag.String("fidelityfamily", "", "name of the only family to run; empty: all")
)

// env returns the number in an environment variable, or the default.
func env(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

// TestFidelity runs random sequences of calls on the model and on the kernel of this machine, and
// compares them. The model must allow all that the kernel does.
func TestFidelity(t *testing.T) {
	seed := *firstSeed
	if seed == 0 {
		seed = rand.Uint64() >> 20 // few digits
	}
	shares := 0
	for _, f := range families {
		shares += f.share
	}
	done := make([]<-chan *arena, len(families))
	for i, f := range families {
		n := *sequences * f.share / shares
		if *onlyOne == f.name {
			n = *sequences
		}
		if *onlyOne == "" || *onlyOne == f.name {
			done[i] = enter(t.TempDir(), f.alone, func(a *arena) { a.family(f, seed, n) })
		}
	}
	for i, f := range families {
		if done[i] != nil {
			t.Run(f.name, func(t *testing.T) {
				t.Logf("seeds from %d on: -fidelityfamily %s -fidelityseed %d", seed, f.name, seed)
				(<-done[i]).report(t)
			})
		}
	}
}

// TestFidelityScripts runs the sequences in testdata/fidelity. They are facts about Linux, and
// sequences that once showed a difference.
func TestFidelityScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/fidelity/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts: ", err)
	}
	a := <-enter(t.TempDir(), false, func(a *arena) {
		for _, file := range files {
			a.script(file)
		}
	})
	a.report(t)
}

// arena is where duels take place: a thread with descriptors and addresses of its own.
type arena struct {
	machine  *real
	name     string
	folder   string // of its UNIX sockets
	block    byte   // third byte of its addresses
	duels    int
	tally    map[allowance]int // how often an allowance was needed
	failures []string
	skipped  error // why the machine allows no duels
}

// mostFailures is after how many failures a family stops.
const mostFailures = 3

// arenas is the number of arenas that were made.
var arenas atomic.Int32

// enter calls do with a new arena on another goroutine, and sends the arena when do has returned. The
// arenas spend most of their time with waiting, so many of them may be in use at once.
func enter(folder string, alone bool, do func(a *arena)) <-chan *arena {
	number := arenas.Add(1)
	a := &arena{folder: folder, name: fmt.Sprintf("sluice-%d-%d", os.Getpid(), number), block: byte(number), tally: map[allowance]int{}}
	done := make(chan *arena, 1)
	go func() {
		defer func() { done <- a }()
		machine, err := newReal(alone)
		if errors.Is(err, errNotIsolated) {
			a.skipped = err
			return
		}
		if err != nil {
			a.failures = append(a.failures, err.Error())
			return
		}
		a.machine = machine
		do(a)
	}()
	return done
}

// report reports what happened in an arena.
func (a *arena) report(t *testing.T) {
	t.Helper()
	if a.skipped != nil {
		t.Skip(a.skipped)
	}
	t.Logf("%d sequences; allowances used: %v", a.duels, a.tally)
	for _, f := range a.failures {
		t.Error(f)
	}
}

// script runs the sequence in a file.
func (a *arena) script(file string) {
	text, err := os.ReadFile(file)
	if err == nil {
		var steps []step
		if steps, err = parseScript(string(text)); err == nil {
			a.check(steps, file)
		}
	}
	if err != nil {
		a.failures = append(a.failures, fmt.Sprint(file, ": ", err))
	}
}

// family runs n sequences of a family.
func (a *arena) family(f *family, seed uint64, n int) {
	for i := range uint64(n) {
		a.check(newPlan(f, seed+i), fmt.Sprintf("-fidelityfamily %s -fidelityseed %d -fidelity 1", f.name, seed+i))
		if len(a.failures) >= mostFailures {
			return
		}
	}
}

// check runs a sequence. A failure contains the shortest sequence with a difference.
func (a *arena) check(steps []step, origin string) {
	found := a.duel(steps)
	if found == nil {
		return
	}
	steps, found = a.shrink(steps, found)
	a.failures = append(a.failures, fmt.Sprintf("%s\n%s   here real:  %s\n       model: %s", origin, scriptOf(steps), found.real, found.model))
}

// duel runs a sequence on both systems.
func (a *arena) duel(steps []step) *difference {
	a.duels++
	ip := netip.AddrFrom4([4]byte{127, a.block, byte(a.duels >> 8), byte(a.duels)})
	name := fmt.Sprintf("%s-%d-", a.name, a.duels)
	k := kernel.New(kernel.Options{FastOpen: fastOpen(), Buffers: func() (int, int) { return plenty, plenty }})
	d := &duel{machine: a.machine, kernel: k, process: k.Process("model"), tally: a.tally, binds: map[uint16]int{}, splicedTo: map[int]bool{}}
	d.real, d.model = newWorld(a.machine, ip, name, a.folder), newWorld(d.process, ip, name, a.folder)
	d.real.port = 2000 + uint16(a.duels%7000)*4
	d.model.port = d.real.port
	d.real.pass = a.machine.expire
	d.model.pass = func(_ int, t time.Duration) { k.Advance(k.Now() + t) }
	return d.play(steps)
}

// fastOpen returns the setting of this machine for TCP Fast Open.
func fastOpen() int {
	text, _ := os.ReadFile("/proc/sys/net/ipv4/tcp_fastopen")
	n, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return n
}

// shrinking is how long a failing sequence is shortened at most.
const shrinking = 20 * time.Second

// shrink removes steps from a sequence while it still shows a difference.
func (a *arena) shrink(steps []step, found *difference) ([]step, *difference) {
	begin := time.Now()
	steps = steps[:found.at+1]
	for size := len(steps) / 2; size > 0; size /= 2 {
		for i := len(steps) - size; i >= 0; i -= size {
			shorter := slices.Delete(slices.Clone(steps), i, i+size)
			if less := a.duel(shorter); less != nil {
				steps, found = shorter[:less.at+1], less
				i = min(i, len(steps))
			}
			if time.Since(begin) > shrinking {
				return steps, found
			}
		}
	}
	return steps, found
}
