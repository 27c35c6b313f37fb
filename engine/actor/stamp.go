package actor

import (
	"encoding/binary"
	"fmt"
)

// Stream identifies the bytes that one end of one conversation sends. It is twice the number of the
// conversation, plus 1 for the server's bytes. 0 is no stream.
type Stream uint32

// StreamOf returns the stream of one end of a conversation.
func StreamOf(number int, server bool) Stream {
	if server {
		return Stream(2*number + 1)
	}
	return Stream(2 * number)
}

// Number returns the number of the conversation.
func (s Stream) Number() int { return int(s / 2) }

// OfServer reports whether the server of the conversation sends the stream.
func (s Stream) OfServer() bool { return s%2 == 1 }

// String describes the stream for messages.
func (s Stream) String() string {
	if s.OfServer() {
		return fmt.Sprintf("the server's bytes of conversation %d", s.Number())
	}
	return fmt.Sprintf("the client's bytes of conversation %d", s.Number())
}

// A stream consists of words of 8 bytes. A bijection computes each word from the stream and the
// index of the word. So a word identifies its stream and its position, and all of its bytes depend
// on both.
const (
	word    = 8                     // bytes
	mix     = 0x9e37_79b9_7f4a_7c15 // an odd number, so that it has an inverse
	unmix   = 0xf1de_83e1_9937_733d // mix * unmix is 1 modulo 2^64
	halfway = 32                    // bits
)

// wordOf returns word i of a stream.
func wordOf(s Stream, i int) uint64 {
	x := (uint64(i)<<halfway | uint64(s)) * mix
	return (x ^ x>>halfway) * mix
}

// decode is the inverse of wordOf.
func decode(x uint64) (Stream, int) {
	x *= unmix
	x = (x ^ x>>halfway) * unmix
	return Stream(x), int(x >> halfway)
}

// Stamp fills b with the bytes of a stream from offset at on.
func Stamp(b []byte, s Stream, at int) {
	for len(b) >= word && at%word == 0 {
		binary.LittleEndian.PutUint64(b, wordOf(s, at/word))
		b, at = b[word:], at+word
	}
	for i := range b {
		b[i] = stampByte(s, at+i)
		if at+i+1 == (at/word+1)*word { // the rest begins at a word
			Stamp(b[i+1:], s, at+i+1)
			return
		}
	}
}

// stampByte returns one byte of a stream.
func stampByte(s Stream, at int) byte {
	return byte(wordOf(s, at/word) >> (at % word * 8))
}

// Check compares b with the bytes of a stream from offset at on. It returns the number of correct
// bytes before the first wrong byte; len(b) if all are correct.
func Check(b []byte, s Stream, at int) int {
	i := 0
	for i < len(b) {
		if (at+i)%word == 0 && len(b)-i >= word {
			if binary.LittleEndian.Uint64(b[i:]) == wordOf(s, (at+i)/word) {
				i += word
				continue
			}
		}
		if b[i] != stampByte(s, at+i) {
			return i
		}
		i++
	}
	return i
}

// likely is an upper bound of the number of words of a stream, and of the numbers of streams. Other
// bytes decode to larger numbers, except about once in a million times.
const likely = 1 << 20

// Recognise returns the stream and the offset to which the first bytes of b belong, for messages
// about wrong bytes. It looks for a whole word at each of the first 8 positions. ok is false if
// there is none.
func Recognise(b []byte) (s Stream, at int, ok bool) {
	for skip := 0; skip < word && skip+word <= len(b); skip++ {
		s, i := decode(binary.LittleEndian.Uint64(b[skip:]))
		if s < likely && i < likely && i*word >= skip && s > 1 {
			return s, i*word - skip, true
		}
	}
	return 0, 0, false
}
