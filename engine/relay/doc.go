// Package relay moves bytes from one socket to another. It copies small amounts, and moves
// large amounts with splice(2).
//
// A Flow is one direction of a session. It is part of the session and contains no pointer.
// While no bytes are under way, a flow uses no further memory. Otherwise it borrows from the
// Stock of its loop: the loop's only buffer, pipes, and stores. A store is memory for bytes
// that were read and could not be written yet.
//
//	       read                 write
//	src ---------> loop buffer --------> dst     copy: the start of every flow
//	                    | rest
//	                    v
//	                  store                      while dst accepts no more bytes
//
//	      splice            splice
//	src ---------> pipe -------------> dst       after a full read; the rest
//	                                             stays in the pipe
//
// A flow that holds bytes does not read its source, and neither does a flow whose target is
// known to be full. The receive buffer of the source then fills up, and TCP slows down the
// sender.
//
// The bytes in stores and pipes count against a Budget of the process; each Purpose has one.
// When the budget of its purpose is used up, a flow peeks at the bytes in the source and writes
// them. It then reads from the source only the bytes that were written.
//
// A Stock and its flows belong to one loop and are used on its goroutine only. The Budgets are
// shared by all loops.
package relay
