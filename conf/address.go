package conf

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// parseBind parses the address list of a bind directive: addresses separated by commas, each with a
// port or a range of ports (configuration.txt 4.2, bind). It returns one Address for each port.
func parseBind(list string) ([]Address, error) {
	var all []Address
	for text := range strings.SplitSeq(list, ",") {
		addrs, err := parseBindOne(text)
		if err != nil {
			return nil, err
		}
		all = append(all, addrs...)
	}
	return all, nil
}

func parseBindOne(text string) ([]Address, error) {
	if a, ok, err := parseLocal(text); ok || err != nil {
		return []Address{a}, err
	}
	a, ports, err := parseHost(text)
	if err != nil {
		return nil, err
	}
	a.Wildcard = a.Host == "" && !a.IP.IsValid()
	first, last, isRange := strings.Cut(ports, "-")
	if !isRange {
		last = first
	}
	from, err := parsePort(text, first)
	if err != nil {
		return nil, err
	}
	to, err := parsePort(text, last)
	if err != nil {
		return nil, err
	}
	if to < from {
		return nil, fmt.Errorf("ports %s in '%s', wanted the lower port first", ports, text)
	}
	var all []Address
	for port := int(from); port <= int(to); port++ {
		a.Port = uint16(port)
		all = append(all, a)
	}
	return all, nil
}

// parseServer parses the address of a server: one address with one port, or a UNIX socket.
func parseServer(text string) (Address, error) {
	if text == "" {
		return Address{}, errors.New("no address follows the name, wanted ADDRESS:PORT or a UNIX socket")
	}
	if a, ok, err := parseLocal(text); ok || err != nil {
		if err == nil && a.Net == NetFD {
			err = fmt.Errorf("'%s', wanted an address to connect to", text)
		}
		return a, err
	}
	a, port, err := parseHost(text)
	if err != nil {
		return a, err
	}
	if a.Host == "" && (!a.IP.IsValid() || a.IP.IsUnspecified()) {
		return a, fmt.Errorf("'%s': connecting to where the client wanted to is not supported; wanted a server's address", text)
	}
	if port == "" {
		return a, fmt.Errorf("'%s' has no port, and to take the client's is not supported; wanted ADDRESS:PORT", text)
	}
	if strings.HasPrefix(port, "+") || strings.HasPrefix(port, "-") {
		return a, fmt.Errorf("'%s': a port taken from the client's is not supported; wanted ADDRESS:PORT", text)
	}
	a.Port, err = parsePort(text, port)
	return a, err
}

// parseLocal parses UNIX sockets and inherited descriptors. ok is false if text is neither.
func parseLocal(text string) (a Address, ok bool, err error) {
	family, rest, prefixed := strings.Cut(text, "@")
	switch {
	case strings.HasPrefix(text, "/"):
		return Address{Net: NetUnix, Path: text}, true, unixPath(text, text)
	case !prefixed:
		return a, false, nil
	case family == "unix" || family == "uxst":
		return Address{Net: NetUnix, Path: rest}, true, unixPath(text, rest)
	case family == "abns":
		return Address{Net: NetAbstract, Path: rest}, true, unixPath(text, rest)
	case family == "fd":
		fd, err := strconv.ParseUint(rest, 10, 20)
		if err != nil {
			err = fmt.Errorf("'%s', wanted fd@ and the number of an inherited descriptor", text)
		}
		return Address{Net: NetFD, FD: int(fd)}, true, err
	}
	return a, false, nil
}

// longestPath is the longest path in bytes that sockaddr_un can hold, without the final NUL.
const longestPath = 107

func unixPath(text, path string) error {
	if path == "" || len(path) > longestPath || strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == 0xfffd }) {
		return fmt.Errorf("'%s', wanted a socket's path of 1 to %d bytes", text, longestPath)
	}
	return nil
}

// parseHost splits an internet address at its last colon, as HAProxy does: `:::80` is the address
// `::` and the port 80.
func parseHost(text string) (a Address, port string, err error) {
	family, rest, prefixed := strings.Cut(text, "@")
	if !prefixed {
		family, rest = "", text
	}
	host, port := cutPort(rest)
	switch family {
	case "", "ipv4", "ipv6":
	default:
		return a, port, fmt.Errorf("'%s': '%s@' is not supported, wanted ipv4@, ipv6@, unix@, abns@ or fd@", text, family)
	}
	switch {
	case host == "" && family == "ipv6":
		a.IP = netip.IPv6Unspecified()
	case host == "" || host == "*":
	default:
		a.IP, err = netip.ParseAddr(host)
		if err != nil {
			a.IP, a.Host, err = netip.Addr{}, host, hostName(text, host)
		}
	}
	if err == nil && family != "" && (a.Host != "" || a.IP.IsValid() && a.IP.Is4() != (family == "ipv4")) {
		err = fmt.Errorf("'%s', wanted an address of the family %s after '%s@'", text, family, family)
	}
	return a, port, err
}

func cutPort(text string) (host, port string) {
	if in, ok := strings.CutPrefix(text, "["); ok {
		host, port, _ = strings.Cut(in, "]")
		return host, strings.TrimPrefix(port, ":")
	}
	colon := strings.LastIndexByte(text, ':')
	if colon < 0 {
		return text, ""
	}
	return text[:colon], text[colon+1:]
}

// hostName returns an error if host cannot be a DNS name. The caller has checked that it is no IP
// address.
func hostName(text, host string) error {
	letter := false
	for _, r := range host {
		switch {
		case 'a' <= r|0x20 && r|0x20 <= 'z':
			letter = true
		case '0' <= r && r <= '9' || r == '.' || r == '-' || r == '_':
		default:
			return fmt.Errorf("%q in '%s', wanted an IP address or a host's name", r, text)
		}
	}
	if !letter {
		return fmt.Errorf("'%s' in '%s', wanted an IP address or a host's name", host, text)
	}
	return nil
}

func parsePort(text, port string) (uint16, error) {
	if port == "" {
		return 0, fmt.Errorf("'%s' has no port, wanted ADDRESS:PORT", text)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("port '%s' in '%s', wanted a number from 1 to 65535", port, text)
	}
	return uint16(n), nil
}

// String returns the address as a bind or server directive contains it.
func (a Address) String() string {
	port := ":" + strconv.Itoa(int(a.Port))
	switch {
	case a.Net == NetFD:
		return "fd@" + strconv.Itoa(a.FD)
	case a.Net == NetAbstract:
		return "abns@" + a.Path
	case a.Net == NetUnix && strings.HasPrefix(a.Path, "/"):
		return a.Path
	case a.Net == NetUnix:
		return "unix@" + a.Path
	case a.Host != "":
		return a.Host + port
	case !a.IP.IsValid():
		return "*" + port
	case a.IP.Is6():
		return "[" + a.IP.String() + "]" + port
	}
	return a.IP.String() + port
}
