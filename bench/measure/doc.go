// Package measure reads the resources that processes use: their CPU time and memory, including
// their children, and the number of system calls, counted by strace. It also reads the CPU time
// of the whole machine.
//
// CPU time is the time in nanoseconds that the kernel counts while the threads of a process run
// on a CPU. It is the clock behind the times in /proc/PID/stat, which are in ticks of 10 ms.
// The kernel adds interrupt work to the thread that runs at that time. On the loopback this
// includes most of the work of receiving the bytes that the thread sends. The work in ksoftirqd
// belongs to no process, so Machine is needed too.
package measure
