package main

import (
	"fmt"
	"syscall"

	"sluice/conf"
)

// mostNofile is the largest limit of open files that is set without ulimit-n. A
// container may allow a thousand million, which would only make tables large. The
// value is HAProxy's default of fd-hard-limit.
const mostNofile = 1 << 20

// raiseNofile sets the soft RLIMIT_NOFILE to ulimit-n, or to the hard limit
// where none is written, and returns the resulting limit. Only a written ulimit-n
// changes the hard limit, which was set by whoever started the process.
func raiseNofile(g *conf.Global, problems *conf.Problems) (uint64, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("read RLIMIT_NOFILE: %w", err)
	}
	want := wantedNofile(g.UlimitN, limit)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &want); err == nil {
		return want.Cur, nil
	}
	tell := problems.Warnf
	if g.StrictLimits {
		tell = problems.Errorf
	}
	tell(g.Pos, "ulimit-n %d is over the hard limit of %d open files, and only root may raise that", g.UlimitN, limit.Max)
	limit.Cur = limit.Max
	return limit.Cur, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
}

func wantedNofile(ulimitN int, now syscall.Rlimit) syscall.Rlimit {
	if ulimitN <= 0 {
		return syscall.Rlimit{Cur: min(now.Max, mostNofile), Max: now.Max}
	}
	n := uint64(ulimitN)
	return syscall.Rlimit{Cur: n, Max: max(n, now.Max)}
}
