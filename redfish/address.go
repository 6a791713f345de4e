package redfish

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/metal3-io/baremetal-operator/pkg/hardwareutils/bmc"
)

// Address is a BMC address as Metal3 understands it.
type Address struct {
	Type   string // the address's scheme: redfish-virtualmedia, idrac-virtualmedia+http, …
	Scheme string // http or https
	Host   string // a name, or an IP address without brackets
	Port   int    // as given, else 443 or 80
	System string // path of the ComputerSystem; empty: the only one
}

// AddressError says what is wrong with a BMC address. Neither of its texts ever holds a password that stood in the address.
type AddressError struct {
	Address   string // with user info masked
	Problem   string
	Corrected string // what was probably meant; empty where that cannot be told

	listing string // where the path is a Manager's or none: URL of what it may be instead
}

// Remedy says what to write; empty where that cannot be told.
func (e *AddressError) Remedy() string {
	switch {
	case e.Corrected == "":
		return ""
	case e.listing != "":
		return fmt.Sprintf("write %s/redfish/v1/Systems/ID, with an ID that curl -gku USER %s lists", e.Corrected, e.listing)
	}
	return "write " + e.Corrected
}

func (e *AddressError) Error() string {
	s := fmt.Sprintf("BMC address %q: %s", e.Address, e.Problem)
	if remedy := e.Remedy(); remedy != "" {
		s += ": " + remedy
	}
	return s
}

// URL is the address of the BMC's service: scheme, host and port, IPv6 in brackets.
func (a Address) URL() string {
	if a.defaultPort() {
		return a.Scheme + "://" + bracket(a.Host)
	}
	return a.Scheme + "://" + a.Endpoint()
}

// Endpoint is host:port as a dialer wants it.
func (a Address) Endpoint() string { return net.JoinHostPort(a.Host, strconv.Itoa(a.Port)) }

// String is the address as a BareMetalHost takes it.
func (a Address) String() string {
	host := bracket(a.Host)
	if !a.defaultPort() {
		host = a.Endpoint()
	}
	return a.Type + "://" + host + a.System
}

// LinkLocal says whether the host is a link-local address, which only works from the BMC's own link.
func (a Address) LinkLocal() bool {
	ip, err := netip.ParseAddr(a.Host)
	return err == nil && ip.Unmap().IsLinkLocalUnicast()
}

func (a Address) manager() bool { return strings.Contains(strings.ToLower(a.System), "/managers/") }

func (a Address) defaultPort() bool {
	return a.Scheme == "https" && a.Port == 443 || a.Scheme == "http" && a.Port == 80
}

// ParseAddress reads a BMC address with Metal3's own parser first and then refuses what that accepts though it cannot work
// with virtual media. The error is an *AddressError.
func ParseAddress(address string) (Address, error) {
	if problem := beforeParser(address); problem != "" {
		return Address{}, refuse(address, problem)
	}
	access, err := bmc.NewAccessDetails(address, false)
	if err != nil {
		return Address{}, refuse(address, parserProblem(address, err))
	}
	info := access.DriverInfo(bmc.Credentials{})
	base, isRedfish := info["redfish_address"].(string)
	if !strings.Contains(address, "://") {
		return Address{}, refuse(address, parserProblem(address, nil))
	}
	if !isRedfish || !access.SupportsISOPreprovisioningImage() {
		return Address{}, refuse(address, fmt.Sprintf("type %q has no Redfish virtual media, from which the discovery ISO boots", access.Type()))
	}
	u, err := url.Parse(base)
	if err != nil {
		return Address{}, refuse(address, "the host cannot be read")
	}
	system, _ := info["redfish_system_id"].(string)
	a := Address{Type: access.Type(), Scheme: u.Scheme, Host: u.Hostname(), System: system}
	if a.Port, err = portOf(u); err != nil {
		return Address{}, refuse(address, err.Error())
	}
	if problem := afterParser(a); problem != "" {
		bad := refuse(address, problem)
		if a.manager() || a.System == "/" {
			bad.listing = a.URL() + "/redfish/v1/Systems"
		}
		return Address{}, bad
	}
	return a, nil
}

// beforeParser finds what Metal3's parser would accept in silence or refuse in words that do not help.
func beforeParser(address string) string {
	authority := authorityOf(address)
	switch {
	case address == "":
		return "it is empty"
	case strings.TrimSpace(address) != address:
		return "it has white space around it"
	case strings.Contains(address, "@"): // in the path too: a password may hold a slash
		return "it holds user info, which Metal3 passes on as part of the host; the credentials belong into the Secret"
	case strings.Contains(authority, "%"):
		return "it holds a zone id, which means nothing on the management node"
	case unbracketed(authority):
		return "its IPv6 address stands without brackets"
	case strings.ContainsAny(address, "?#"):
		return "it holds a query or a fragment, which Metal3 drops"
	}
	return ""
}

func afterParser(a Address) string {
	switch {
	case a.Host == "":
		return "it has no host"
	case a.System == "/":
		return `its path is "/", which is no system; a system's is needed (/redfish/v1/Systems/…)`
	case a.manager():
		return "its path is a Manager's; a system's is needed (/redfish/v1/Systems/…)"
	}
	return ""
}

// parserProblem is the parser's complaint without the address in it (that may hold a password).
func parserProblem(address string, err error) string {
	if !strings.Contains(address, "://") {
		return "it has no scheme, which means IPMI to Metal3: there is no virtual media"
	}
	if scheme, _, _ := strings.Cut(address, "://"); strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https") {
		return fmt.Sprintf("its scheme %q names no BMC type", scheme)
	}
	return "Metal3 refuses it: " + strings.ReplaceAll(err.Error(), address, maskUserInfo(address))
}

func portOf(u *url.URL) (int, error) {
	if u.Port() == "" {
		if strings.HasSuffix(u.Host, ":") {
			return 0, fmt.Errorf("the port is missing behind the colon")
		}
		if u.Scheme == "http" {
			return 80, nil
		}
		return 443, nil
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil || port < 1 || port > 65535 {
		return 0, fmt.Errorf("port %s is not between 1 and 65535", u.Port())
	}
	return port, nil
}

func refuse(address, problem string) *AddressError {
	return &AddressError{Address: maskUserInfo(address), Problem: problem, Corrected: correct(address)}
}

// correct makes of a refused address the one that was probably meant; empty unless the result is accepted.
func correct(address string) string {
	scheme, rest, found := strings.Cut(strings.TrimSpace(address), "://")
	if !found {
		scheme, rest = "", strings.TrimSpace(address)
	}
	rest, _, _ = strings.Cut(rest, "#")
	rest, _, _ = strings.Cut(rest, "?")
	authority, system, _ := strings.Cut(rest, "/")
	system = strings.TrimSuffix(path.Clean("/"+system), "/")
	if strings.Contains(strings.ToLower(system)+"/", "/managers/") {
		system = ""
	}
	if at := strings.LastIndex(authority, "@"); at >= 0 {
		authority = authority[at+1:]
	}
	if strings.Contains(authority, "%") {
		return "" // a link-local address needs its zone: there is no right way to write it
	}
	if unbracketed(authority) {
		authority = bracketed(authority)
	}
	if colon := strings.LastIndex(authority, ":"); colon > strings.LastIndex(authority, "]") {
		if port, err := strconv.Atoi(authority[colon+1:]); err != nil || port < 1 || port > 65535 {
			authority = authority[:colon]
		}
	}
	corrected := virtualMediaType(scheme) + "://" + authority + system
	if corrected == address {
		return ""
	}
	if _, err := ParseAddress(corrected); err != nil {
		return ""
	}
	return corrected
}

// virtualMediaType is the address type with virtual media that stands nearest to the one given.
func virtualMediaType(scheme string) string {
	kind, transport, _ := strings.Cut(strings.ToLower(scheme), "+")
	switch {
	case strings.HasPrefix(kind, "idrac"):
		kind = "idrac-virtualmedia"
	case strings.HasPrefix(kind, "ilo5"):
		kind = "ilo5-virtualmedia"
	case kind == "http":
		kind, transport = "redfish-virtualmedia", "http"
	default:
		kind = "redfish-virtualmedia"
	}
	if transport == "http" || transport == "https" { // as the user writes it, though https goes without saying
		return kind + "+" + transport
	}
	return kind
}

func authorityOf(address string) string {
	_, rest, found := strings.Cut(address, "://")
	if !found {
		rest = address
	}
	authority, _, _ := strings.Cut(rest, "/")
	return authority
}

func unbracketed(authority string) bool {
	return strings.Count(authority, ":") > 1 && !strings.Contains(authority, "[")
}

// bracketed puts brackets round a bare IPv6 address. "2001:db8::1:9000" is ambiguous: a last group of four or five decimal
// digits is taken for a port, since that is what people forget the brackets of.
func bracketed(authority string) string {
	colon := strings.LastIndex(authority, ":")
	host, last := authority[:colon], authority[colon+1:]
	_, hostErr := netip.ParseAddr(host)
	_, wholeErr := netip.ParseAddr(authority)
	if port, err := strconv.Atoi(last); hostErr == nil && err == nil && (wholeErr != nil || len(last) >= 4 && port <= 65535) {
		return "[" + host + "]:" + last
	}
	return "[" + authority + "]"
}

func bracket(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

// maskUserInfo hides what stands before an @ in the authority: a message must never hold a password.
func maskUserInfo(address string) string {
	authority := authorityOf(address)
	at := strings.LastIndex(authority, "@")
	if at < 0 {
		// A password may itself hold a slash; then the @ stands behind what looks like the authority.
		if at = strings.LastIndex(address, "@"); at < 0 {
			return address
		}
		scheme, _, found := strings.Cut(address, "://")
		if !found {
			return "***" + address[at:]
		}
		return scheme + "://***" + address[at:]
	}
	return strings.Replace(address, authority, "***"+authority[at:], 1)
}
