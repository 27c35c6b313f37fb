package main

import "testing"

// Requests during a reload share the next one. A request that comes when this one has begun gets
// another one.
func TestReloadsAreShared(t *testing.T) {
	var q reloadQueue
	began, end := make(chan int), make(chan struct{})
	runs := 0 // by one reload at a time
	do := func() report {
		runs++
		began <- runs
		<-end
		return report{ok: runs == 2}
	}
	first := q.join(do)
	<-began
	second := q.join(do)
	for range 100 {
		if q.join(do) != second {
			t.Fatal("requests during a reload do not share the next one")
		}
	}
	end <- struct{}{}
	<-first.done
	<-began
	third := q.join(do)
	if third == second {
		t.Fatal("a request after the begin of a reload joined it")
	}
	end <- struct{}{}
	<-second.done
	<-began
	end <- struct{}{}
	<-third.done
	if runs != 3 || first.report.ok || !second.report.ok || third.report.ok {
		t.Errorf("%d reloads; reports %v %v %v", runs, first.report, second.report, third.report)
	}
}
