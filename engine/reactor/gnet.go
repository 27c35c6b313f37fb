//go:build !simulation

package reactor

import (
	"errors"
	"io"
	"reflect"

	"github.com/panjf2000/gnet/v2/pkg/netpoll"
)

var errNoEpoll = errors.New("gnet's poller has no epoll descriptor in its field fd any more")

// openEpoll opens gnet's poller. gnet has no accessor for its epoll descriptor, so openEpoll reads
// the unexported field by reflection. It returns errNoEpoll if the field is missing.
func openEpoll() (epoll int, gnet io.Closer, err error) {
	p, err := netpoll.OpenPoller()
	if err != nil {
		return -1, nil, err
	}
	field := reflect.ValueOf(p).Elem().FieldByName("fd")
	if !field.IsValid() || !field.CanInt() {
		_ = p.Close()
		return -1, nil, errNoEpoll
	}
	return int(field.Int()), p, nil
}
