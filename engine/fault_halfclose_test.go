//go:build !simulation

package engine

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"
)

// Fault 4. A client that has sent its request and FIN gets the whole answer, even a late one.
func TestFault04ClientHalfCloseLateAnswer(t *testing.T) {
	answer := random(t, 300_000)
	asked, now := make(chan string), make(chan bool)
	b := start(t, plain+"  server s "+newPeer(t, func(c *net.TCPConn) {
		question, _ := io.ReadAll(c)
		asked <- string(question)
		<-now
		_, _ = c.Write(answer)
	}).String())
	c := b.dial("f")
	_, _ = io.WriteString(c, "question")
	closeWrite(t, c)
	if got := <-asked; got != "question" {
		t.Errorf("the server got %q", got)
	}
	b.silent(100 * time.Millisecond)
	close(now)
	if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, answer) {
		t.Errorf("%d bytes, %v; want %d", len(got), err, len(answer))
	}
	b.wantTerm("--")
}

// Fault 5. A server that has sent FIN still gets the rest of the upload.
func TestFault05ServerHalfCloseUploadGoesOn(t *testing.T) {
	upload := random(t, 8<<20)
	received := make(chan []byte, 1)
	b := start(t, plain+"  server s "+newPeer(t, func(c *net.TCPConn) {
		_ = c.CloseWrite()
		all, _ := io.ReadAll(c)
		received <- all
	}).String())
	c := b.dial("f")
	if got, err := io.ReadAll(c); len(got) != 0 || err != nil {
		t.Fatalf("%q, %v; want the server's FIN", got, err)
	}
	if _, err := c.Write(upload); err != nil {
		t.Fatal(err)
	}
	c.Close()
	if got := <-received; !bytes.Equal(got, upload) {
		t.Errorf("the server got %d bytes; want %d", len(got), len(upload))
	}
	b.wantTerm("--")
}

// Fault 6. A half-closed session without traffic ends after the shorter timeout of the side
// that is still open.
func TestFault06HalfCloseAndSilence(t *testing.T) {
	const fin = "\n  timeout client-fin 150ms\n  timeout server-fin 150ms" + plain + "  server s "
	t.Run("client", func(t *testing.T) {
		b := start(t, fin+newPeer(t, hang(t)).String())
		closeWrite(t, b.dial("f"))
		e := b.wantTerm("sD")
		within(t, "life", e.tt, 150, 150+soon)
	})
	t.Run("server", func(t *testing.T) {
		b := start(t, fin+newPeer(t, func(c *net.TCPConn) {
			_ = c.CloseWrite()
			silent(c)
		}).String())
		b.dial("f")
		e := b.wantTerm("cD")
		within(t, "life", e.tt, 150, 150+soon)
	})
}

// FIN follows the last byte, whether the bytes are in the loop's buffer, a store or a pipe.
func TestFinBehindLastByte(t *testing.T) {
	for _, size := range []int{1, 60_000, 200_000, 3 << 20} {
		text := random(t, size)
		t.Run("download of "+strconv.Itoa(size), func(t *testing.T) {
			b := start(t, plain+"  server s "+newPeer(t, says(string(text))).String())
			c := b.dialSmall("f")
			if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, text) {
				t.Errorf("%d bytes, %v; want %d", len(got), err, size)
			}
		})
		t.Run("upload of "+strconv.Itoa(size), func(t *testing.T) {
			held := make(chan bool)
			b := start(t, plain+"  server s "+newPeer(t, func(c *net.TCPConn) {
				<-held
				echo(c)
			}).String())
			c := b.dial("f")
			sent := make(chan error, 1)
			go func() {
				_, err := c.Write(text)
				closeWrite(t, c)
				sent <- err
			}()
			wait(t, "the server to be full", func() bool { return b.Held() > 0 || len(sent) == 1 })
			close(held)
			if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, text) {
				t.Errorf("%d bytes, %v; want %d", len(got), err, size)
			}
			if err := <-sent; err != nil {
				t.Error(err)
			}
		})
	}
}

// Both ends send as much as they can and close at different times.
func TestBothWaysAtOnce(t *testing.T) {
	up, down := random(t, 2<<20), random(t, 3<<20)
	received := make(chan []byte, 1)
	b := start(t, plain+"  server s "+newPeer(t, func(c *net.TCPConn) {
		var sending sync.WaitGroup
		defer sending.Wait()
		sending.Go(func() {
			_, _ = c.Write(down)
			closeWrite(t, c)
		})
		all, _ := io.ReadAll(c)
		received <- all
	}).String())
	c := b.dial("f")
	go func() {
		_, _ = c.Write(up)
		closeWrite(t, c)
	}()
	if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, down) {
		t.Errorf("down: %d bytes, %v; want %d", len(got), err, len(down))
	}
	if got := <-received; !bytes.Equal(got, up) {
		t.Errorf("up: %d bytes; want %d", len(got), len(up))
	}
	b.wantTerm("--")
}

func random(t *testing.T, size int) []byte {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	text := make([]byte, size)
	source := rand.New(rand.NewPCG(seed, 0))
	for i := range text {
		text[i] = byte(source.Uint32())
	}
	return text
}
