// Package measure reads what a process has used, from outside: CPU time and
// memory of it and of its children, the machine's own time beside it, and the
// system calls it makes, counted by strace.
//
// CPU time is the kernel's count of the time its threads were on a CPU, in
// nanoseconds (the clock behind the times in /proc/PID/stat, which shows ticks
// of 10 ms). Interrupt work that the kernel does while a thread runs is charged
// to that thread: on the loopback that is most of the receiving side of what
// the thread sends. What is done in ksoftirqd is charged to nobody, therefore
// Machine stands beside it.
package measure
