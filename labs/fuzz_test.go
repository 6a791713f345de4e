package labs

import (
	"encoding"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// ofGo is what no message holds.
var ofGo = regexp.MustCompile(`\*?\b[a-z]+\.[A-Z]\w+|map\[|%!|\bu?int\d+|runtime error`)

// FuzzScalars reads texts as each of the scalars. What is accepted is written as
// it is read again; what is refused is said without a word of Go.
func FuzzScalars(f *testing.F) {
	for _, text := range []string{"fd03::/48", "10.0.0.0/8", "::ffff:10.0.0.0/104", "fe80::1%eth0/64", "52:54:00:00:00:11", "52-54-00-6E-00-10", "5254.0000.0011", "10m", "1h30m", "-1s", "0", "~/x", "é", ".T\xb7\x84\xfa.P0"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, scalar := range []func() (encoding.TextUnmarshaler, encoding.TextMarshaler){
			func() (encoding.TextUnmarshaler, encoding.TextMarshaler) { v := new(CIDR); return v, v },
			func() (encoding.TextUnmarshaler, encoding.TextMarshaler) { v := new(MAC); return v, v },
			func() (encoding.TextUnmarshaler, encoding.TextMarshaler) { v := new(Duration); return v, v },
		} {
			in, out := scalar()
			if err := in.UnmarshalText([]byte(text)); err != nil {
				said := strings.ReplaceAll(err.Error(), strconv.Quote(text), "") // what it shows of the text is the text's own
				if goes := ofGo.FindString(said); goes != "" && !strings.Contains(text, goes) {
					t.Fatalf("%q: %v", text, err)
				}
				continue
			}
			written, err := out.MarshalText()
			if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			again, same := scalar()
			if err := again.UnmarshalText(written); err != nil {
				t.Fatalf("%q is written as %q, which is refused: %v", text, written, err)
			}
			if twice, _ := same.MarshalText(); string(twice) != string(written) {
				t.Fatalf("%q is written as %q, then as %q", text, written, twice)
			}
		}
		path := Path(text)
		path.ResolveIn("/lab")
		if text != "" && path == "" {
			t.Fatalf("%q is a path of no name", text)
		}
	})
}

// FuzzFacts checks labs whose texts are anything at all.
func FuzzFacts(f *testing.F) {
	for _, text := range []string{"registry.lab.example:5000", "[fd00::1]", "fd00::1%1", "a..b", "-----BEGIN CERTIFICATE-----\n", `{"auths": {"": null}}`, "{\"auths\": []}", "ssh-", "quay.io@sha256:"} {
		f.Add(text, -1)
	}
	f.Fuzz(func(t *testing.T, text string, port int) {
		l := sound()
		l.Domain, l.DNS.Server, l.Release.Image, l.Registry.Host, l.Registry.Port = text, text, text, text, port
		l.Registry.CA, l.SSHKey = PEM{Text: text}, PublicKey{Text: text}
		l.Registry.Mirrors[0] = Mirror{Source: text, Mirrors: []string{text, ""}}
		l.Hosted.NodePort.Address, l.Hosted.Ingress.Address, l.Hosted.Name = text, text, text
		l.Workers[1].Name, l.Workers[1].BootMAC, l.Workers[1].BMC.Address = text, MAC(text), text
		l.Workers[0].Network = StaticNetwork{Addresses: []CIDR{{}}, Gateways: []string{text}, DNS: []string{text}}
		l.Networks.Machine = append(l.Networks.Machine, CIDR{})
		for _, p := range append(Complete(text, l), l.CheckSecret(NamedSecret{pullSecret, l.PullSecret}, NewSecret(text))...) {
			if p.Message == "" {
				t.Fatalf("%s: nothing is said", p.Path)
			}
			if goes := ofGo.FindString(p.Message + "\n" + p.Hint); goes != "" && !strings.Contains(text, goes) && !strings.Contains(text, `\`) {
				t.Fatalf("%s: it speaks of Go: %s", p.Path, p.Message)
			}
		}
	})
}
