package sock

import (
	"os"
	"strconv"
	"strings"
)

// FastOpenSetting is the name of the kernel setting that allows TCP Fast Open.
const FastOpenSetting = "net.ipv4.tcp_fastopen"

// The bits of FastOpenSetting: the host may use TCP Fast Open as a client, and as a server.
const (
	FastOpenConnects = 1 << iota
	FastOpenListens
)

// FastOpen returns the value of FastOpenSetting. known is false if the kernel has no such
// setting.
func FastOpen() (bits int, known bool) {
	text, err := os.ReadFile("/proc/sys/" + strings.ReplaceAll(FastOpenSetting, ".", "/"))
	if err != nil {
		return 0, false
	}
	bits, err = strconv.Atoi(strings.TrimSpace(string(text)))
	return bits, err == nil
}
