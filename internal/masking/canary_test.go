package masking

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// The secrets of these tests, of every shape that a lab has. None is anybody's.
const (
	word   = "correcthorsebatterystaple-kite-9217"
	six    = "qzxwvk"
	signs  = `pa"ss\wörd <&'%41+ n€w`
	spaces = "five tall ships sail quietly past the very old and crumbling harbour wall"
	pem    = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n" +
		"MzEfYyjiWA4R4/M2bS1GB4t7NXp98C3SC6dVMvDuictGeurT8jNbvJZHtCSuYEvu\nNMoSfm76oqFvAp8Gy0iz5sxjZmSnXyCdPEovGhLa0VzMaQ8s+CLOyS56YyCFGeJZ\n-----END PRIVATE KEY-----\n"
	login = "wick-et-gate-77"
	pull  = `{"auths":{"registry.lab:5000":{"auth":"bGFiOndpY2stZXQtZ2F0ZS03Nw==","email":"mail@of.example"},"quay.io":{"auth":"eDp5enp5LXlhcmQtMQ=="}}}`
)

// canaries are those secrets, and what of each must not be seen.
func canaries() map[string][]string {
	return map[string][]string{
		word: {word}, six: {six}, signs: {signs}, spaces: {spaces},
		pem:  strings.Split(strings.TrimSpace(pem), "\n")[1:4],
		pull: {login, "yzzy-yard-1", "bGFiOndpY2stZXQtZ2F0ZS03Nw==", "eDp5enp5LXlhcmQtMQ=="},
	}
}

func withCanaries() *Secrets {
	var s Secrets
	for value := range canaries() {
		s.Add(value)
	}
	return &s
}

// coded is what a text becomes on its way into a message.
type coded struct {
	name string
	code func(string) string
}

func asJSON(text string, escape bool) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(escape)
	_ = enc.Encode(text)
	return strings.TrimSuffix(b.String(), "\n")
}

// codings are the ways, ends of the text such as quotes with it.
func codings() []coded {
	wrap := func(text string, n int) string {
		var b strings.Builder
		for len(text) > n {
			b.WriteString(text[:n] + "\n  ")
			text = text[n:]
		}
		return b.String() + text
	}
	b64 := func(e *base64.Encoding) func(string) string {
		return func(text string) string { return e.EncodeToString([]byte(text)) }
	}
	return []coded{
		{"plain", func(t string) string { return t }},
		{"JSON", func(t string) string { return asJSON(t, false) }},
		{"JSON, escaped for HTML", func(t string) string { return asJSON(t, true) }},
		{"JSON in upper-case hex", func(t string) string {
			var b strings.Builder
			for _, r := range t {
				fmt.Fprintf(&b, `\u%04X`, r)
			}
			return b.String()
		}},
		{"%q", strconv.Quote},
		{"%+q", strconv.QuoteToASCII},
		{"%x escapes", func(t string) string {
			var b strings.Builder
			for _, c := range []byte(t) {
				fmt.Fprintf(&b, `\x%02x`, c)
			}
			return b.String()
		}},
		{"octal", func(t string) string {
			var b strings.Builder
			for _, c := range []byte(t) {
				fmt.Fprintf(&b, `\%03o`, c)
			}
			return b.String()
		}},
		{"YAML", func(t string) string { b, _ := yaml.Marshal(map[string]string{"k": t}); return string(b) }},
		{"YAML, single quotes", func(t string) string { return "'" + strings.ReplaceAll(t, "'", "''") + "'" }},
		{"shell", func(t string) string { return "'" + strings.ReplaceAll(t, "'", `'\''`) + "'" }},
		{"shell, the other way", func(t string) string { return "'" + strings.ReplaceAll(t, "'", `'"'"'`) + "'" }},
		{"query", url.QueryEscape},
		{"path", url.PathEscape},
		{"HTML", html.EscapeString},
		{"base64", b64(base64.StdEncoding)},
		{"base64 without padding", b64(base64.RawStdEncoding)},
		{"base64 of URLs", b64(base64.URLEncoding)},
		{"base64 of URLs without padding", b64(base64.RawURLEncoding)},
		{"base64 in lines of 76", func(t string) string { return wrap(b64(base64.StdEncoding)(t), 76) }},
		{"base64 in lines of 64", func(t string) string { return wrap(b64(base64.StdEncoding)(t), 64) }},
		{"Basic", func(t string) string {
			return "Authorization: Basic " + b64(base64.StdEncoding)("admin:"+t)
		}},
		{"Basic of a longer user", func(t string) string {
			return "Authorization: Basic " + b64(base64.StdEncoding)("root1:"+t)
		}},
		{"Basic of another user", func(t string) string {
			return "Authorization: Basic " + b64(base64.StdEncoding)("rooter:"+t+":x")
		}},
		{"Secret", func(t string) string {
			auth := b64(base64.StdEncoding)("user:" + t)
			return `{"data":{".dockerconfigjson":"` + b64(base64.StdEncoding)(`{"auths":{"r":{"auth":"`+auth+`","password":`+asJSON(t, true)+`}}}`) + `"}}`
		}},
	}
}

// leaks gives what of a secret a text shows: in itself, or decoded by the very
// way that it was encoded.
func leaks(text string, parts []string, c coded) []string {
	var found []string
	for _, part := range parts {
		for _, shape := range []string{part, strings.Trim(c.code(part), "\"'")} {
			if strings.Contains(text, shape) {
				found = append(found, shape)
			}
		}
	}
	return found
}

// Every secret is masked in every coding, and in every coding of one; what
// stands around it is left.
func TestEveryCoding(t *testing.T) {
	s := withCanaries()
	for secret, parts := range canaries() {
		for _, inner := range codings() {
			for _, outer := range codings() {
				text := "before> " + outer.code(inner.code(secret)) + " <after"
				got := s.Text(text)
				if !strings.Contains(got, Mask) {
					t.Errorf("%s in %s of %q: nothing is masked in %q", inner.name, outer.name, secret, text)
				}
				if !strings.HasPrefix(got, "before> ") || !strings.HasSuffix(got, " <after") {
					t.Errorf("%s in %s of %q: what is around it is gone: %q", inner.name, outer.name, secret, got)
				}
				both := coded{code: func(t string) string { return outer.code(inner.code(t)) }}
				for _, c := range []coded{inner, outer, both} {
					if left := leaks(got, parts, c); len(left) > 0 {
						t.Errorf("%s in %s of %q shows %q: %q", inner.name, outer.name, secret, left, got)
					}
				}
			}
		}
	}
}

// Each wrapped line of base64 tells as much as all of them, wherever it stands.
func TestLinesOfBase64(t *testing.T) {
	s := withCanaries()
	for _, secret := range []string{pem, pull, spaces} {
		for shift := range 3 {
			text := base64.StdEncoding.EncodeToString([]byte("xyz"[:shift] + secret))
			for n := 0; n < len(text); n += 76 {
				line := text[n:min(n+76, len(text))]
				if len(line) < 14 {
					continue // fewer than 8 bytes of the secret
				}
				if got := s.Text("say " + line + " end"); got != "say *** end" {
					t.Errorf("line of %q, shifted by %d: %q", secret, shift, got)
				}
			}
		}
	}
}

// Secrets that overlap are masked as one; the longest is not left for a short one.
func TestOverlapping(t *testing.T) {
	var s Secrets
	for _, secret := range []string{"abcdefgh", "efghijkl", "cdefgh"} {
		s.Add(secret)
	}
	for text, want := range map[string]string{
		"<abcdefghijkl>": "<***>", "<cdefghijkl>": "<***>", "<cdefgh>": "<***>", "<abcdefg>": "<abcdefg>",
		"<abcdefghabcdefgh>": "<***>", "<abcdefgh-efghijkl>": "<***-***>",
	} {
		if got := s.Text(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

// What is no secret stays, however much it looks like one.
func TestLeavesTheRest(t *testing.T) {
	s := withCanaries()
	certificate := "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUAJ0x\n-----END CERTIFICATE-----\n"
	for _, text := range []string{
		certificate, base64.StdEncoding.EncodeToString([]byte(certificate)), "-----BEGIN PRIVATE KEY-----",
		"registry.lab:5000 answers 401", "qzxwv k", `{"a":"\u003c\n"}`, "100% of %41 &lt; &amp;", "\x1b[31mred\x1b[0m", "\xff\xfe invalid \\", "it''s '' \\", "é",
	} {
		if got := s.Text(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

// What was cut short before it reached labrun's hands shows no beginning of a secret.
func TestCutShort(t *testing.T) {
	s := withCanaries()
	for text, want := range map[string]string{
		"said correcthorseb… and more":               "said ***… and more",
		"said correcthorseb... and more":             "said ***... and more",
		"said qzx… and more":                         "said qzx… and more",
		"said correcthorseb, and more…":              "said correcthorseb, and more…",
		`said pa\"ss\\w…`:                            `said ***…`,
		"Basic YWRtaW46Y29ycmVjdGhv…":                "Basic YWRtaW46***…",
		"Basic YWRtaW46…, a word…, 100%…, \\…, &am…": "Basic YWRtaW46…, a word…, 100%…, \\…, &am…",
	} {
		if got := s.Text(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}
