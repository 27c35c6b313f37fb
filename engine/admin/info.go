package admin

import (
	"os"
	"runtime"
	"runtime/metrics"

	"sluice/pool/stat"
)

// appendInfo appends `show info`. A key without a value is left out, as in HAProxy.
func (v *View) appendInfo(to []byte) []byte {
	process := v.info()
	for i := range stat.Keys {
		key := &stat.Keys[i]
		if value := key.Of(&process); !value.Empty() {
			to = append(append(to, key.Name...), ": "...)
			to = append(value.Append(to), '\n')
		}
	}
	return to
}

// info returns Process, completed by the values that the runtime and the system know.
func (v *View) info() stat.Info {
	p := v.Process
	p.Now, p.PID, p.Node, p.Tasks = stat.Now(), os.Getpid(), node(), runtime.NumGoroutine()
	p.Allocated, p.Used = memory()
	return p
}

// memory returns two numbers of bytes: the memory that the process has from the system, and the
// part that objects use. Unlike runtime.ReadMemStats it does not stop the loops.
func memory() (allocated, used int64) {
	m := []metrics.Sample{
		{Name: "/memory/classes/total:bytes"},
		{Name: "/memory/classes/heap/released:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
	}
	metrics.Read(m)
	return int64(m[0].Value.Uint64() - m[1].Value.Uint64()), int64(m[2].Value.Uint64())
}

func node() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return name
}
