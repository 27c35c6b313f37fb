package relay

// BufferSize is the size of a loop's buffer in bytes, and therefore the size of the longest
// read.
const BufferSize = 64 << 10

// PipeSize is the capacity in bytes that is requested for a pipe. It is the default of
// /proc/sys/fs/pipe-max-size, the most that a user without privileges may request. The kernel
// allocates pages only for bytes that are in a pipe. A user over the limit in
// /proc/sys/fs/pipe-user-pages-soft gets less, and then the flows copy.
const PipeSize = 1 << 20

// Sizes are the sizes in bytes at which a stock changes how it moves bytes. A process uses those
// of DefaultSizes. Tests make them small, so that few bytes reach every case.
type Sizes struct {
	Buffer int // of the loop's buffer, and of the longest read; a read that fills it starts splicing
	Store  int // of the smallest store; each further class is twice as large
	Pipe   int // requested for a pipe
	Quiet  int // rounds of splice that move less than this are quiet, see noteRound
}

// DefaultSizes returns the sizes that were measured to be fast.
func DefaultSizes() Sizes {
	return Sizes{Buffer: BufferSize, Store: 256, Pipe: PipeSize, Quiet: 16 << 10}
}

// mostSpliced returns the most bytes that one splice puts into a pipe. It is less than the size of
// a pipe so that, with other bytes held for the same reader, the total stays under 1 MiB.
func (s *Sizes) mostSpliced() int { return s.Pipe - s.Pipe/128 }
