package main

import "sync"

// reloadQueue runs reloads one after the other. All requests that arrive while one runs share the
// next one, because it reads the files after the last of these requests.
type reloadQueue struct {
	turn sync.Mutex // held by the reload or comparison that runs

	mu   sync.Mutex
	next *reload // a reload that has been requested and has not begun; nil: none
}

// reload is a reload that one or more requests wait for.
type reload struct {
	done   chan struct{} // closed at the end
	report report        // written before done is closed
}

// join returns the reload that has not begun, and makes one if there is none. It does not wait. do
// reloads.
func (q *reloadQueue) join(do func() report) *reload {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.next == nil {
		q.next = &reload{done: make(chan struct{})}
		go q.run(q.next, do)
	}
	return q.next
}

// alone makes a reload that no other request joins. It does not wait.
func (q *reloadQueue) alone(do func() report) *reload {
	one := &reload{done: make(chan struct{})}
	go q.run(one, do)
	return one
}

func (q *reloadQueue) run(one *reload, do func() report) {
	defer close(one.done)
	q.turn.Lock()
	defer q.turn.Unlock()
	q.mu.Lock()
	if q.next == one {
		q.next = nil // do reads the files from here on: a later request needs another reload
	}
	q.mu.Unlock()
	one.report = do()
}
