package pool

import (
	"strconv"
	"testing"
	"time"
)

func TestAfterFailure(t *testing.T) {
	const second = time.Second
	tests := []struct {
		name       string
		servers    int
		retries    int
		redispatch string // interval; empty: no option redispatch
		down       string
		failure    Failure
		want       []Retry // after each of several failures in a row
	}{
		{"no redispatch: the same server, after a pause", 2, 3, "", "", Failure{},
			[]Retry{{SameServer, second}, {SameServer, second}, {SameServer, second}, {GiveUp, 0}}},
		{"a timeout has waited enough", 2, 1, "", "", Failure{Timeout: true},
			[]Retry{{SameServer, 0}, {GiveUp, 0}}},
		{"no retries", 2, 0, "-1", "", Failure{}, []Retry{{GiveUp, 0}}},
		{"two active: elsewhere at once", 2, 2, "-1", "", Failure{},
			[]Retry{{Redispatch, 0}, {Redispatch, 0}, {GiveUp, 0}}},
		{"alone: only the last retry chooses anew, to meet it again", 1, 3, "-1", "", Failure{},
			[]Retry{{SameServer, second}, {SameServer, second}, {Redispatch, second}, {GiveUp, 0}}},
		{"one left of two", 2, 2, "-1", "b", Failure{},
			[]Retry{{SameServer, second}, {Redispatch, second}, {GiveUp, 0}}},
		{"cookie: stays until the last retry", 2, 3, "-1", "", Failure{Persist: true},
			[]Retry{{SameServer, second}, {SameServer, second}, {Redispatch, 0}, {GiveUp, 0}}},
		{"cookie, every second retry", 2, 4, "2", "", Failure{Persist: true},
			[]Retry{{SameServer, second}, {Redispatch, 0}, {SameServer, second}, {Redispatch, 0}, {GiveUp, 0}}},
		{"cookie, every retry", 2, 2, "1", "", Failure{Persist: true},
			[]Retry{{Redispatch, 0}, {Redispatch, 0}, {GiveUp, 0}}},
		{"cookie, the last retry but one", 2, 3, "-2", "", Failure{Persist: true},
			[]Retry{{SameServer, second}, {Redispatch, 0}, {SameServer, second}, {GiveUp, 0}}},
		{"an interval before the first retry never comes", 2, 2, "-3", "", Failure{Persist: true},
			[]Retry{{SameServer, second}, {SameServer, second}, {GiveUp, 0}}},
		{"interval 0: another server is active", 2, 2, "0", "", Failure{},
			[]Retry{{Redispatch, 0}, {Redispatch, 0}, {GiveUp, 0}}},
		{"interval 0, cookie: stays", 2, 2, "0", "", Failure{Persist: true},
			[]Retry{{SameServer, second}, {SameServer, second}, {GiveUp, 0}}},
		{"interval 0, alone", 1, 1, "0", "", Failure{},
			[]Retry{{SameServer, second}, {GiveUp, 0}}},
		{"cookie, server gone down since", 3, 2, "-1", "a", Failure{Persist: true},
			[]Retry{{Redispatch, 0}, {Redispatch, 0}, {GiveUp, 0}}},
		{"server gone down, no redispatch", 3, 1, "", "a", Failure{},
			[]Retry{{SameServer, second}, {GiveUp, 0}}},
		{"server gone down, one left", 2, 1, "-1", "a", Failure{},
			[]Retry{{Redispatch, second}, {GiveUp, 0}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := mustNew(t, weighted([]int{1, 1, 1}[:tt.servers]...))
			c := b.Conf()
			c.Retries, c.Redispatch = tt.retries, tt.redispatch != ""
			c.RedispatchEvery, _ = strconv.Atoi(tt.redispatch)
			kill(b, tt.down)
			f := tt.failure
			f.Server = b.Servers()[0]
			for i, want := range tt.want {
				f.Retries = i
				if got := b.AfterFailure(f); got != want {
					t.Errorf("after failure %d: %+v, want %+v", i+1, got, want)
				}
			}
		})
	}
}

func TestTurnAroundIsNoLongerThanConnect(t *testing.T) {
	b := mustNew(t, weighted(1))
	for connect, want := range map[time.Duration]time.Duration{
		0:                      time.Second,
		300 * time.Millisecond: 300 * time.Millisecond,
		5 * time.Second:        time.Second,
	} {
		b.Conf().Timeout.Connect = connect
		if got := b.AfterFailure(Failure{Server: b.Servers()[0]}).Wait; got != want {
			t.Errorf("timeout connect %v: wait %v, want %v", connect, got, want)
		}
	}
}
