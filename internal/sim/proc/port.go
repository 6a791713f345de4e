package proc

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// The ports handed out lie below the range from which Linux takes the ports of outgoing connections (32768 and
// up), so that none of those takes one between the look and the program's own bind.
const (
	firstPort = 20000
	lastPort  = 32000
)

// FreePort finds a TCP port on which nobody listens at ip ("127.0.0.1", "::1"). Another process may still take it
// first: who starts a program on it tries another one when the program reports the address in use.
func FreePort(ip string) (int, error) {
	var last error
	for range 100 {
		port := firstPort + rand.IntN(lastPort-firstPort)
		l, err := net.Listen("tcp", net.JoinHostPort(ip, strconv.Itoa(port)))
		if err != nil {
			last = err
			continue
		}
		return port, l.Close()
	}
	return 0, fmt.Errorf("finding a free TCP port at %s: %w", ip, last)
}
