// Package relay moves bytes from one socket to another: by copy where little
// is there, by splice(2) where much is.
//
// A Flow is one direction of a session. It lives in the session, holds no
// pointer and, while nothing is under way, no memory either. What it needs to
// work it borrows from the Stock of its loop: the loop's one buffer, pipes,
// and stores for bytes that were read and could not be written yet.
//
//	       read                 write
//	src ---------> loop buffer --------> dst     copy: the start of every flow
//	                    | rest
//	                    v
//	                  store                      while dst takes no more
//
//	      splice            splice
//	src ---------> pipe -------------> dst       after a full read; the rest
//	                                             stays in the pipe
//
// A flow never reads what it cannot pass on: while it holds bytes, or while
// its target is known to be full, the source is left alone, so TCP pushes back
// on the sender. All stores and all pipes that hold bytes count against a
// Budget of the process, one for each purpose. With that for slow readers used
// up, a flow peeks, writes, and takes from the source only what was written.
//
// A Stock and its flows belong to one loop and are used on its goroutine only.
// The Budgets are shared by all loops.
package relay
