//go:build !simulation

package engine

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"time"
)

// blockSize is the distance in bytes after which a content repeats, except for a number at the
// start of each block. No size of a buffer or pipe is a multiple of it.
const blockSize = 1<<20 - 13

// content is a stream of bytes that is cheap to generate. No two parts of it are equal.
type content struct {
	block []byte
	seed  uint64
	at    int64
	size  int64
}

func newContent(seed uint64, size int64) *content {
	block := make([]byte, blockSize)
	_, _ = rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16)}).Read(block)
	return &content{block: block, seed: seed, size: size}
}

// next returns up to n further bytes, and none at the end.
func (c *content) next(n int) []byte {
	from := c.at % blockSize
	if from == 0 {
		binary.LittleEndian.PutUint64(c.block, uint64(c.at)^c.seed<<40)
	}
	n = int(min(int64(n), blockSize-from, c.size-c.at))
	c.at += int64(n)
	return c.block[from : from+int64(n)]
}

// sum returns the digest of a whole content.
func sum(seed uint64, size int64) [sha256.Size]byte {
	h := sha256.New()
	for c := newContent(seed, size); c.at < c.size; {
		h.Write(c.next(blockSize))
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// manner describes how one end of a stream sends and reads: in large pieces without pauses, or
// in random pieces with pauses.
type manner struct {
	rng *rand.Rand // nil: no pauses, and pieces of 256 KiB
}

func (m manner) piece() int {
	if m.rng == nil {
		return 256 << 10
	}
	return 1 + m.rng.IntN(1<<(4+m.rng.IntN(16)))
}

// pause sleeps because slow peers are input of the test. It does not wait for an event.
func (m manner) pause() {
	if m.rng == nil {
		return
	}
	switch m.rng.IntN(64) {
	case 0:
		<-time.After(time.Duration(m.rng.IntN(2000)) * time.Microsecond)
	case 1, 2, 3, 4:
		runtime.Gosched()
	}
}

// send writes a content and then FIN.
func send(c net.Conn, what *content, how manner) error {
	for what.at < what.size {
		if _, err := c.Write(what.next(how.piece())); err != nil {
			return fmt.Errorf("send byte %d: %w", what.at, err)
		}
		how.pause()
	}
	return c.(interface{ CloseWrite() error }).CloseWrite()
}

// receive reads to the end and compares the bytes with the content of this seed.
func receive(c net.Conn, seed uint64, size int64, how manner) error {
	h, got, err := drain(c, how)
	if err != nil {
		return fmt.Errorf("receive byte %d of %d: %w", got, size, err)
	}
	if got != size {
		return fmt.Errorf("%d bytes arrived; want %d", got, size)
	}
	if [sha256.Size]byte(h.Sum(nil)) != sum(seed, size) {
		return fmt.Errorf("the %d bytes that arrived differ from those sent", size)
	}
	return nil
}

func drain(c net.Conn, how manner) (hash.Hash, int64, error) {
	h, got := sha256.New(), int64(0)
	buffer := make([]byte, 1<<20)
	for {
		n, err := c.Read(buffer[:how.piece()])
		h.Write(buffer[:n])
		got += int64(n)
		if errors.Is(err, io.EOF) {
			return h, got, nil
		}
		if err != nil {
			return h, got, err
		}
		how.pause()
	}
}
