package imageserver

import (
	"context"
	"fmt"
	"net"
	"strings"
)

// Towards gives this machine's own address on the route to a BMC, given as host:port, in a family: "tcp", "tcp4" or "tcp6".
// It sends nothing: connecting a UDP socket only looks up the route. The error says where there is no such address, or one
// that only works on one link.
func Towards(ctx context.Context, resolver *net.Resolver, family, endpoint string) (string, error) {
	dialer := net.Dialer{Resolver: resolver}
	conn, err := dialer.DialContext(ctx, strings.Replace(family, "tcp", "udp", 1), endpoint)
	if err != nil {
		return "", fmt.Errorf("looking up the route to %s: %w", endpoint, err)
	}
	defer conn.Close()
	host, _, err := net.SplitHostPort(conn.LocalAddr().String())
	if err == nil {
		_, err = Endpoint(host)
	}
	if err != nil {
		return "", fmt.Errorf("looking up the route to %s: %w", endpoint, err)
	}
	return host, nil
}
