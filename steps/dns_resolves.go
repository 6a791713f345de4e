package steps

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps/trouble"
)

// DNSResolves waits until names resolve to one of the given addresses, asked of
// the lab's own name server.
type DNSResolves struct {
	Names     []string `yaml:"names" doc:"names that are asked for"`
	Addresses []string `yaml:"addresses" doc:"addresses of which each name must have at least one, and no other"`
	Why       string   `yaml:"why,omitempty" doc:"what depends on it, for the message"`
}

// DNSResolvesOutputs is what was answered.
type DNSResolvesOutputs struct {
	Addresses []string `yaml:"addresses" doc:"addresses that the names resolve to"`
	name      string
}

// Summary says what resolves to what.
func (o DNSResolvesOutputs) Summary() string {
	return o.name + " is " + strings.Join(o.Addresses, ", ")
}

// Run asks one name after the other.
func (s DNSResolves) Run(ctx context.Context, env *Env) (DNSResolvesOutputs, error) {
	server := env.Facts().DNS.Server
	resolver := resolverOf(server)
	var out DNSResolvesOutputs
	for _, name := range s.Names {
		told := func(err error) event.Report {
			r := report(name+" does not lead to "+strings.Join(s.Addresses, ", "), "seen", err.Error(), s.command(name, server))
			if s.Why != "" {
				r.Lines = append(r.Lines, event.Line{Label: "why", Text: s.Why})
			}
			return coded(r, trouble.AppsElsewhere)
		}
		got, err := poll(ctx, env, told, func(ctx context.Context) ([]string, error) { return s.resolve(ctx, resolver, server, name) })
		if err != nil {
			return out, err
		}
		out.name, out.Addresses = name, got
	}
	return out, nil
}

func (s DNSResolves) resolve(ctx context.Context, resolver *net.Resolver, server, name string) ([]string, error) {
	found, err := resolver.LookupNetIP(ctx, "ip", name)
	if err != nil {
		return nil, askedOf(server, err)
	}
	got := make([]string, len(found))
	for i, a := range found {
		got[i] = a.Unmap().String()
	}
	slices.Sort(got)
	for _, a := range got {
		if !slices.ContainsFunc(s.Addresses, func(want string) bool { return sameAddress(want, a) }) {
			return nil, fmt.Errorf("it resolves to %s", strings.Join(got, ", "))
		}
	}
	return got, nil
}

// askedOf names the server that was asked: Go names the first one of resolv.conf,
// whomever the resolver's own Dial led to.
func askedOf(server string, err error) error {
	var failed *net.DNSError
	if server == "" || !errors.As(err, &failed) {
		return err
	}
	told := *failed
	told.Server = server
	return &told
}

func sameAddress(a, b string) bool {
	x, errX := netip.ParseAddr(a)
	y, errY := netip.ParseAddr(b)
	return errX == nil && errY == nil && x.Unmap() == y.Unmap()
}

func (DNSResolves) command(name, server string) string {
	if server == "" {
		return "host " + name
	}
	host, port, err := net.SplitHostPort(server)
	if err != nil {
		return "dig " + name + " ANY @" + server
	}
	return "dig -p " + port + " @" + host + " " + name + " A " + name + " AAAA"
}

// resolverOf asks one server, or the system's where none is named.
func resolverOf(server string) *net.Resolver {
	if server == "" {
		return net.DefaultResolver
	}
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, server)
	}}
}
