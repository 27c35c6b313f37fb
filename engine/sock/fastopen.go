package sock

import (
	"os"
	"strconv"
	"strings"
)

// FastOpenSetting is where the system says who may use TCP Fast Open.
const FastOpenSetting = "net.ipv4.tcp_fastopen"

// The bits of FastOpenSetting.
const (
	FastOpenConnects = 1 << iota
	FastOpenListens
)

// FastOpen reads FastOpenSetting; false: the system has none.
func FastOpen() (bits int, known bool) {
	text, err := os.ReadFile("/proc/sys/" + strings.ReplaceAll(FastOpenSetting, ".", "/"))
	if err != nil {
		return 0, false
	}
	bits, err = strconv.Atoi(strings.TrimSpace(string(text)))
	return bits, err == nil
}
