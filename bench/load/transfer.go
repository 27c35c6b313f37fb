package load

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// Transfer describes bytes to move over one or several streams at once. A stream is a
// connection.
type Transfer struct {
	Addr    netip.AddrPort
	Host    string
	Streams int
	Down    int64 // bytes from the server, all streams together
	Up      int64 // bytes to the server, all streams together
	// Over is the time over which each client spreads its reads. 0: it reads as fast as possible.
	Over time.Duration
}

// chunk is the number of bytes in one read or write of a client.
const chunk = 256 << 10

// pattern returns bytes without short repetitions, so that a lost or moved part is detected.
var pattern = sync.OnceValue(func() []byte {
	p := make([]byte, chunk)
	x := uint64(1)
	for i := range p {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		p[i] = byte(x >> 32)
	}
	return p
})

// Pattern returns the bytes that Transfer sends and expects, again and again.
func Pattern() []byte { return pattern() }

// Run moves the bytes and returns the time that this took. The number of bytes must be exact.
// With check, each byte is compared with the pattern.
func (t Transfer) Run(check bool) (time.Duration, error) {
	start := time.Now()
	errs := make([]error, t.Streams)
	var all sync.WaitGroup
	for i := range t.Streams {
		all.Go(func() { errs[i] = t.stream(check) })
	}
	all.Wait()
	took := time.Since(start)
	for i, err := range errs {
		if err != nil {
			return took, fmt.Errorf("stream %d of %d: %w", i+1, t.Streams, err)
		}
	}
	return took, nil
}

func (t Transfer) stream(check bool) error {
	c, err := net.Dial("tcp", t.Addr.String())
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(2*time.Minute + t.Over)); err != nil {
		return err
	}
	down, up := t.Down/int64(t.Streams), t.Up/int64(t.Streams)
	head := fmt.Sprintf("POST /bulk HTTP/1.1\r\nHost: %s\r\nX-Down: %d\r\nConnection: close\r\nContent-Length: %d\r\n\r\n", t.Host, down, up)
	if _, err := io.WriteString(c, head); err != nil {
		return err
	}
	sent := make(chan error, 1)
	go func() { sent <- Send(c, up) }()
	err = receiveAll(&paced{Reader: c, size: down, over: t.Over, start: time.Now()}, down, check)
	if sendErr := <-sent; sendErr != nil {
		return fmt.Errorf("send: %w", sendErr)
	}
	return err
}

// receiveAll reads the answer. The server's end of the connection confirms that it has received
// all bytes.
func receiveAll(c io.Reader, down int64, check bool) error {
	r := bufio.NewReaderSize(c, 4<<10)
	answer, err := http.ReadResponse(r, nil)
	if err != nil {
		return err
	}
	body := io.MultiReader(io.LimitReader(r, int64(r.Buffered())), c)
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("status %s, wanted 200", answer.Status)
	}
	if err := Receive(body, down, check); err != nil {
		return err
	}
	more, err := io.Copy(io.Discard, body)
	if more > 0 && err == nil {
		err = fmt.Errorf("%d bytes behind the last one", more)
	}
	return err
}

// paced spreads the reads of size bytes over a time.
type paced struct {
	io.Reader
	size, got int64
	over      time.Duration // 0: no pauses
	start     time.Time
}

// piece is the largest number of bytes in one read of a client that pauses.
const piece = 64 << 10

func (p *paced) Read(b []byte) (int, error) {
	if p.over == 0 {
		return p.Reader.Read(b)
	}
	n, err := p.Reader.Read(b[:min(len(b), piece)])
	p.got += int64(n)
	due := time.Duration(float64(p.got) / float64(p.size) * float64(p.over))
	time.Sleep(due - time.Since(p.start))
	return n, err
}

// Send writes n bytes of the pattern.
func Send(w io.Writer, n int64) error {
	for n > 0 {
		wrote, err := w.Write(Pattern()[:min(n, chunk)])
		if err != nil {
			return err
		}
		n -= int64(wrote)
	}
	return nil
}

// Receive reads n bytes and, with check, compares them with the pattern.
func Receive(r io.Reader, n int64, check bool) error {
	buffer := make([]byte, chunk)
	for got := int64(0); got < n; {
		read, err := r.Read(buffer[:min(n-got, chunk)])
		if check && !matches(buffer[:read], got) {
			return fmt.Errorf("%w within %d of byte %d", errWrong, read, got)
		}
		got += int64(read)
		if err != nil && got < n {
			return fmt.Errorf("after %d of %d bytes: %w", got, n, err)
		}
	}
	return nil
}

func matches(got []byte, at int64) bool {
	for i, b := range got {
		if b != Pattern()[(at+int64(i))%chunk] {
			return false
		}
	}
	return true
}
