package labs

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"unicode/utf8"
)

//go:generate go test -run TestLabFiles -update .

// Example is a lab file to begin with: the labs that labrun brings are such, and
// what labrun init writes.
type Example struct {
	Stack        Stack
	Disconnected bool
	Name         string          // of the lab, a DNS label; absent: stack and connection, ipv6-disconnected
	Hosted       string          // name of the hosted cluster; absent: hosted-STACK, or the lab's name where that is given
	Schema       string          // where an editor finds the schema, a path or URL
	Workers      []ExampleWorker // absent: two virtual ones
}

// ExampleWorker is a worker of an example.
type ExampleWorker struct {
	Name      string
	MAC       MAC
	Address   string // of the BMC, in Metal3's form
	User      string
	Password  ExampleSecret
	Disk      string   // device that is installed to; may be absent
	Addresses []string // with prefix length; absent: DHCP
	Gateways  []string // which answer for DNS too
}

// ExampleSecret is where a secret is found, as a lab file writes it.
type ExampleSecret struct {
	Kind string // env or file
	Name string // of the variable, or path of the file
}

// SchemaFile is the name of the lab file's JSON schema.
const SchemaFile = "lab.schema.json"

// Write gives the lab file's text. It refuses a stack that there is not, and a name
// that neither a lab nor its hosted cluster can have.
func (e Example) Write() ([]byte, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	page, err := template.New("lab").Funcs(template.FuncMap{
		"list": list, "hostPort": hostPort, "scalar": scalar, "pad": func(server string) string { return padTo(19, server) },
		"address": address, "padList": func(items []string) string { return padTo(13, list(items)) },
	}).Parse(exampleText)
	if err != nil {
		return nil, fmt.Errorf("read the template of lab files: %w", err)
	}
	var b bytes.Buffer
	if err := page.Execute(&b, e.complete()); err != nil {
		return nil, fmt.Errorf("write lab %s: %w", e.Name, err)
	}
	return b.Bytes(), nil
}

// longestName of a hosted cluster: clusters-NAME is a namespace.
const longestName = 63 - len("clusters-")

func (e Example) check() error {
	switch {
	case !slices.Contains([]Stack{IPv4, IPv6, Dual}, e.Stack):
		return fmt.Errorf("%q is no stack of a lab: there are ipv4, ipv6 and dual", string(e.Stack))
	case e.Name != "" && (!dnsLabel.MatchString(e.Name) || len(e.Name) > longestName):
		return fmt.Errorf("%q is no name of a lab: lower-case letters, digits and hyphens, at most %d, beginning and ending with a letter or digit", e.Name, longestName)
	}
	return nil
}

// example is what the template is written from.
type example struct {
	Example
	place
	Kubeconfig string
	Sample     bool // the workers are of nobody's rack
}

func (e Example) complete() example {
	if e.Hosted == "" {
		if e.Hosted = e.Name; e.Name == "" {
			e.Hosted = "hosted-" + string(e.Stack)
		}
	}
	if e.Name == "" {
		e.Name = string(e.Stack) + "-connected"
		if e.Disconnected {
			e.Name = string(e.Stack) + "-disconnected"
		}
	}
	if e.Schema == "" {
		e.Schema = SchemaFile
	}
	x := example{Example: e, place: placeOf(e.Stack), Kubeconfig: "~/.kcli/clusters/hub-" + string(e.Stack) + "/auth/kubeconfig"}
	if len(x.Workers) == 0 {
		x.Workers, x.Sample = x.workers(e.Stack), true
	}
	return x
}

// place are the addresses of an example's networks.
type place struct {
	Host                      string // the virtual machines' own, which answers for DNS and BMCs
	Machine, Cluster, Service []string
	mac, uuid                 string // how the workers' begin
}

const (
	cluster4, service4 = "10.132.0.0/14", "172.31.0.0/16"
	cluster6, service6 = "fd03::/48", "fd04::/112"
)

func placeOf(stack Stack) place {
	switch stack {
	case IPv4:
		return place{"192.168.125.1", []string{"192.168.125.0/24"}, []string{cluster4}, []string{service4}, "52:54:00:7d:00:", "7c5a2c1e"}
	case IPv6:
		return place{"2620:52:0:1305::1", []string{"2620:52:0:1305::/64"}, []string{cluster6}, []string{service6}, "52:54:00:6e:00:", "6b5a2c1e"}
	}
	return place{"192.168.126.1", []string{"192.168.126.0/24", "2620:52:0:1306::/64"}, []string{cluster4, cluster6}, []string{service4, service6}, "52:54:00:5f:00:", "5d5a2c1e"}
}

// workers are two virtual machines with emulated BMCs. IPv4 alone has DHCP.
func (s place) workers(stack Stack) []ExampleWorker {
	var all []ExampleWorker
	for i := range 2 {
		w := ExampleWorker{
			Name: fmt.Sprintf("worker%d", i), MAC: MAC(fmt.Sprintf("%s1%d", s.mac, i)), User: "admin", Password: ExampleSecret{"env", "BMC_PASSWORD"}, Disk: "/dev/vda",
			Address: "redfish-virtualmedia+https://" + hostPort(s.Host, 9000) + fmt.Sprintf("/redfish/v1/Systems/%s-0000-4000-8000-00000000001%d", s.uuid, i),
		}
		for _, network := range s.Machine {
			if stack == IPv4 {
				break
			}
			p := netip.MustParsePrefix(network)
			first := strings.TrimSuffix(p.Addr().String(), "0")
			w.Addresses = append(w.Addresses, fmt.Sprintf("%s1%d/%d", first, i, p.Bits()))
			w.Gateways = append(w.Gateways, first+"1")
		}
		all = append(all, w)
	}
	return all
}

func hostPort(host string, port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }

func list(items []string) string { return "[" + strings.Join(items, ", ") + "]" }

// padTo puts a comment behind a value into the column of the others, from a value
// that begins in a column.
func padTo(column int, value string) string {
	const comments = 56
	return strings.Repeat(" ", max(1, comments-column-utf8.RuneCountInString(value)))
}

var plainAddress = regexp.MustCompile(`^[a-z0-9+-]+://[A-Za-z0-9.:\[\]-]*[A-Za-z0-9\]](/[A-Za-z0-9_./-]*)?$`)

// address writes a BMC's address as scalar does; most need no quotes.
func address(text string) string {
	if plainAddress.MatchString(text) {
		return text
	}
	return strconv.Quote(text)
}

var plain = regexp.MustCompile(`^[A-Za-z/~][A-Za-z0-9_./@-]*$`)

// scalar writes a text so that YAML reads just that text.
func scalar(text string) string {
	switch strings.ToLower(text) {
	case "true", "false", "null", "~", "yes", "no", "on", "off":
		return strconv.Quote(text)
	}
	if plain.MatchString(text) {
		return text
	}
	return strconv.Quote(text)
}
