package gate

import (
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/conf"
	"go4.org/netipx"
)

// maxFile is the most that file() reads, in bytes.
const maxFile = 1 << 20

// functions are those of the field, beside the built-in ones of expr: addresses,
// networks, base64, files, versions; and keys, values and toPairs in a fixed
// order, which expr's own lack.
func functions(files files) conf.FunctionsTable {
	table := conf.FunctionsTable{}
	add := func(name string, of any) {
		f := reflect.ValueOf(of)
		table[name] = &builtin.Function{Name: name, Types: []reflect.Type{f.Type()}, Func: call(name, f)}
	}
	add("cidr_contains", cidrContains)
	add("cidr_host", cidrHost)
	add("cidr_family", cidrFamily)
	add("is_ipv6", isIPv6)
	add("bracket", bracket)
	add("host_port", hostPort)
	add("base64_encode", func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) })
	add("base64_decode", base64Decode)
	add("file", files.read)
	add("semver_matches", semverMatches)
	add("keys", sortedKeys)
	add("values", sortedValues)
	add("toPairs", sortedPairs)
	return table
}

// callError is what a function of the field refuses, in the user's words.
type callError struct {
	message string
	absent  bool // an argument is not there
}

// Error is the message.
func (e *callError) Error() string { return e.message }

// call makes a Go function one of expr. Arguments are checked here too: those of
// unknown type at load are seen at run time only.
func call(name string, f reflect.Value) func(...any) (any, error) {
	return func(args ...any) (any, error) {
		in := make([]reflect.Value, len(args))
		if len(args) != f.Type().NumIn() {
			return nil, &callError{message: fmt.Sprintf("%s() takes %d arguments, these are %d", name, f.Type().NumIn(), len(args))}
		}
		for i, a := range args {
			wanted, v := f.Type().In(i), reflect.ValueOf(a)
			if !v.IsValid() || !v.Type().AssignableTo(wanted) {
				got := "nothing"
				if v.IsValid() {
					got = plainTypes(v.Type().String())
				}
				return nil, &callError{
					message: fmt.Sprintf("%s() takes %s here, this is %s", name, plainTypes(wanted.String()), got),
					absent:  !v.IsValid(),
				}
			}
			in[i] = v
		}
		out := f.Call(in)
		if len(out) == 2 && !out[1].IsNil() {
			return nil, &callError{message: fmt.Sprintf("%s(): %v", name, out[1].Interface())}
		}
		return out[0].Interface(), nil
	}
}

func cidrContains(cidr, address string) (bool, error) {
	p, err := parseCIDR(cidr)
	if err != nil {
		return false, err
	}
	a, err := parseAddress(address)
	return p.Contains(a), err
}

// cidrHost gives the n-th address of a network, the n-th from its end where n is
// negative.
func cidrHost(cidr string, n int) (string, error) {
	p, err := parseCIDR(cidr)
	if err != nil {
		return "", err
	}
	all := netipx.RangeOfPrefix(p)
	a, step, count := all.From(), netip.Addr.Next, n
	if n < 0 {
		a, step, count = all.To(), netip.Addr.Prev, -n-1
	}
	if count > 1<<20 {
		return "", fmt.Errorf("the number %d is too large", n)
	}
	for range count {
		if a = step(a); !a.IsValid() || !p.Contains(a) {
			return "", fmt.Errorf("%s has no address of number %d", cidr, n)
		}
	}
	return a.String(), nil
}

func cidrFamily(cidr string) (string, error) {
	p, err := parseCIDR(cidr)
	if err != nil {
		return "", err
	}
	if p.Addr().Is4() {
		return "ipv4", nil
	}
	return "ipv6", nil
}

// isIPv6 says whether a text is an IPv6 address, in brackets or not. A name is none.
func isIPv6(address string) bool {
	a, err := parseAddress(address)
	return err == nil && a.Is6()
}

func bracket(host string) string {
	if a, err := netip.ParseAddr(host); err == nil && a.Is6() {
		return "[" + host + "]"
	}
	return host
}

func hostPort(host string, port int) (string, error) {
	if port < 1 || port > 65535 {
		return "", fmt.Errorf("%d is no port", port)
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), strconv.Itoa(port)), nil
}

func parseCIDR(s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is no CIDR, such as fd03::/48 or 10.132.0.0/14", s)
	}
	return p.Masked(), nil
}

func parseAddress(s string) (netip.Addr, error) {
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	if err != nil {
		return netip.Addr{}, fmt.Errorf("%q is no IP address", s)
	}
	return a, nil
}

func base64Decode(s string) (string, error) {
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(s))
	if err != nil {
		return "", fmt.Errorf("this is no base64: %w", err)
	}
	return string(b), nil
}

// files are those that file() reads.
type files struct {
	dir     string          // where relative paths begin
	secrets func() []string // paths that are never read: what an expression gives is shown in plans and journals
}

// read gives a file's contents.
func (f files) read(path string) (string, error) {
	if home, ok := strings.CutPrefix(path, "~/"); ok {
		h, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		path = filepath.Join(h, home)
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(f.dir, path)
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if f.isSecret(info) {
		return "", fmt.Errorf("%s is the file of a secret: what an expression gives is shown in plans and journals", path)
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is no regular file", path)
	}
	opened, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = opened.Close() }()
	b, err := io.ReadAll(io.LimitReader(opened, maxFile+1))
	if err != nil {
		return "", err
	}
	if len(b) > maxFile {
		return "", fmt.Errorf("%s is larger than 1 MiB", path)
	}
	return string(b), nil
}

// isSecret knows a secret's file by any of its names.
func (f files) isSecret(info os.FileInfo) bool {
	return slices.ContainsFunc(f.secrets(), func(path string) bool {
		secret, err := os.Stat(path)
		return err == nil && os.SameFile(secret, info)
	})
}

func semverMatches(version, constraint string) (bool, error) {
	v, err := semver.NewVersion(version)
	if err != nil {
		return false, fmt.Errorf("%q is no version, such as 4.20.3", version)
	}
	c, err := semver.NewConstraint(constraint)
	if err != nil {
		return false, fmt.Errorf("%q is no constraint, such as >= 4.19", constraint)
	}
	return c.Check(v), nil
}

func sortedKeys(m map[string]any) []any {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	out := make([]any, len(keys))
	for i, k := range keys {
		out[i] = k
	}
	return out
}

func sortedValues(m map[string]any) []any {
	out := sortedKeys(m)
	for i, k := range out {
		out[i] = m[k.(string)]
	}
	return out
}

func sortedPairs(m map[string]any) []any {
	out := sortedKeys(m)
	for i, k := range out {
		out[i] = []any{k, m[k.(string)]}
	}
	return out
}
