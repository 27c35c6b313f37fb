package kernel

// timers are the timers of the kernel and of its timerfds.
type timers struct{}
