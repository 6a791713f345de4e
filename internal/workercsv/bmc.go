package workercsv

import (
	"errors"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/redfish"
)

const bmcHint = "a host, or redfish-virtualmedia+https://HOST/redfish/v1/Systems/…"

func readBMC(w *labs.ExampleWorker, text string) (string, wrong) {
	return readAddress(w, text, "redfish-virtualmedia")
}

// readIDRAC reads a cell of a column that says by its name what the BMCs are.
func readIDRAC(w *labs.ExampleWorker, text string) (string, wrong) {
	return readAddress(w, text, "idrac-virtualmedia")
}

func readAddress(w *labs.ExampleWorker, text, usual string) (string, wrong) {
	address, problem := bmcAddress(text, usual)
	if problem != "" {
		return "", wrong{problem, bmcHint}
	}
	w.Address = address
	return strings.ToLower(address), wrong{}
}

var addressText = regexp.MustCompile(`^[A-Za-z0-9._~:/\[\]+-]+$`)

// bmcAddress makes Metal3's address of a host, a URL or such an address. It adds
// what is left out, the usual type and the brackets of IPv6, and drops nothing.
func bmcAddress(text, usual string) (address, problem string) {
	scheme, rest, full := strings.Cut(text, "://")
	if !full {
		scheme, rest = "", text
	}
	authority, path, _ := strings.Cut(rest, "/")
	switch {
	case strings.Contains(text, "@"):
		return "", "there is a user in the address, who stands in a column of its own"
	case strings.ContainsAny(text, "?#"):
		return "", "there is a query or a fragment in it"
	case strings.Contains(authority, "%"):
		return "", "there is a zone in it, which means nothing on the management cluster"
	case !addressText.MatchString(rest):
		return "", "there is a character in it that no address of a BMC has"
	case strings.Contains("/"+strings.ToLower(path)+"/", "/managers/"):
		return "", "its path is a manager's, not a system's"
	case badPort(authority):
		return "", "its port is no number from 1 to 65535"
	}
	kind := bmcType(scheme, usual)
	if path = systemPath(path); path != "" && kind != strings.ToLower(scheme) && !strings.HasPrefix(path, "/redfish/v1/Systems/") {
		return "", "its path is no system's, /redfish/v1/Systems/…"
	}
	return proper(kind, authority, path)
}

// proper is an address as redfish reads it, with brackets where just they are missing.
func proper(kind, authority, path string) (address, problem string) {
	a, err := redfish.ParseAddress(kind + "://" + authority + path)
	var bad *redfish.AddressError
	if errors.As(err, &bad) {
		_, corrected, _ := strings.Cut(bad.Corrected, "://")
		if corrected != authority+path && strings.NewReplacer("[", "", "]", "").Replace(corrected) == authority+path {
			if _, err := netip.ParseAddr(authority); err == nil && !strings.Contains(corrected, "["+authority+"]") {
				return "", "its end may be a port or a part of the IPv6 address: put the address in brackets"
			}
			a, err = redfish.ParseAddress(kind + "://" + corrected)
		}
	}
	switch {
	case err != nil:
		return "", "this is no address of a BMC with Redfish virtual media"
	case a.LinkLocal():
		return "", "a link-local address is known on its own link only"
	case !isHost(a.Host):
		return "", "this is neither a name nor an IP address"
	}
	return a.String(), ""
}

// bmcType is Metal3's type with virtual media for what a URL begins with, the
// usual one; it is left as it is where it says of itself what it is.
func bmcType(scheme, usual string) string {
	scheme = strings.ToLower(scheme)
	kind, transport, _ := strings.Cut(scheme, "+")
	if transport == "" {
		transport = "https"
	}
	switch kind {
	case "", "https", "redfish":
		return usual + "+" + transport
	case "http":
		return usual + "+http"
	case "idrac-redfish":
		return "idrac-virtualmedia+" + transport
	}
	return scheme
}

// systemPath leaves no path where it names none of the systems.
func systemPath(path string) string {
	switch path = "/" + strings.Trim(path, "/"); path {
	case "/", "/redfish", "/redfish/v1", "/redfish/v1/Systems":
		return ""
	}
	return path
}

// badPort looks behind the one colon of a host, or behind a bracket.
func badPort(authority string) bool {
	_, port, found := strings.Cut(authority[strings.LastIndex(authority, "]")+1:], ":")
	if !found || strings.Contains(port, ":") {
		return false
	}
	n, err := strconv.Atoi(port)
	return err != nil || n < 1 || n > 65535
}

// isHost refuses what is no IP address, and by its last label no name.
func isHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	last := host[strings.LastIndex(host, ".")+1:]
	_, err := strconv.Atoi(last)
	return err != nil
}
