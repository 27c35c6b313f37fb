package admin

import (
	"fmt"
	"os"
	"runtime"
	"runtime/metrics"
	"strings"

	"sluice/pool/stat"
)

// info writes `show info`: the keys of HAProxy 2.6 in its order. Keys without a known value are
// left out.
func (v *View) info(w *strings.Builder) {
	p, s, now := &v.Process, v.Process.Stat, stat.Now()
	line := func(key string, value any) { fmt.Fprintf(w, "%s: %v\n", key, value) }
	line("Name", "Sluice")
	line("Version", p.Version)
	if p.Released != "" {
		line("Release_date", p.Released)
	}
	line("Nbthread", p.Threads)
	line("Nbproc", 1)
	line("Process_num", 1)
	line("Pid", os.Getpid())
	line("Uptime", uptime(now/1000))
	line("Uptime_sec", now/1000)
	allocated, used := memory()
	line("Memmax_MB", 0)
	line("PoolAlloc_MB", allocated>>20)
	line("PoolUsed_MB", used>>20)
	line("PoolFailed", 0)
	line("Ulimit-n", p.UlimitN)
	line("Maxsock", p.MaxSock)
	line("Maxconn", p.MaxConn)
	line("Hard_maxconn", p.MaxConn)
	line("CurrConns", s.Cur())
	line("CumConns", s.Total())
	line("CumReq", s.Requests.Total())
	line("Maxpipes", p.MaxPipes)
	line("ConnRate", s.Rate().Per(now))
	line("ConnRateLimit", 0)
	line("MaxConnRate", s.Rate().Max())
	line("Tasks", runtime.NumGoroutine())
	line("node", node())
	line("Stopping", flag(p.Stopping()))
	line("Jobs", s.Cur()+int64(p.Binds))
	line("Listeners", p.Binds)
	line("DroppedLogs", p.DroppedLogs)
	line("TotalBytesOut", v.bytesOut())
	line("TotalSplicdedBytesOut", s.Spliced.Load())
	line("Memmax_bytes", 0)
	line("PoolAlloc_bytes", allocated)
	line("PoolUsed_bytes", used)
	line("Start_time_sec", stat.Began().Unix())
}

func (v *View) bytesOut() (sum int64) {
	for _, f := range v.Frontends {
		sum += f.Stat.Out()
	}
	return sum
}

func uptime(sec int64) string {
	return fmt.Sprintf("%dd %dh%02dm%02ds", sec/86400, sec/3600%24, sec/60%60, sec%60)
}

// memory returns two numbers of bytes: the memory that the process has from the system, and the
// part that objects use. Unlike runtime.ReadMemStats it does not stop the loops.
func memory() (allocated, used uint64) {
	m := []metrics.Sample{
		{Name: "/memory/classes/total:bytes"},
		{Name: "/memory/classes/heap/released:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
	}
	metrics.Read(m)
	return m[0].Value.Uint64() - m[1].Value.Uint64(), m[2].Value.Uint64()
}

func node() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return name
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
