package masking

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/labrun/labrun/internal/masking/weak"
)

// linesOf are the lines of a secret that nobody may see.
func linesOf(secret string) []string {
	var lines []string
	for line := range strings.FieldsFuncSeq(secret, func(r rune) bool { return r == '\n' || r == '\r' }) {
		line = strings.TrimSpace(line)
		if len(line) >= weak.ShortestLine && !strings.HasPrefix(line, "-----") && weak.Why(line, nil) == "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// FuzzMasking lets no line of a secret through, in whatever coding of a coding, in
// whatever pieces it is written.
func FuzzMasking(f *testing.F) {
	for secret := range canaries() {
		f.Add(secret, "and more ", uint8(3), uint8(17), []byte{1, 7, 30})
		f.Add("x"+secret, "", uint8(21), uint8(0), []byte{200})
	}
	for _, login := range []string{"user:", "user: ", "lab-user-of-old:\n", `{"auths":{"acr.lab":{"auth":"MDAwMC0wMDAwOg==","identitytoken":"sesame-street"}}}`} {
		f.Add(login, "login ", uint8(0), uint8(1), []byte{5})
	}
	f.Fuzz(func(t *testing.T, secret, before string, inner, outer uint8, cuts []byte) {
		// The mask itself is no secret, and no YAML or JSON holds what is no text.
		if !utf8.ValidString(secret) || !utf8.ValidString(before) || strings.Contains(secret+before, "*") || len(secret) > 4<<10 || len(before) > 1<<10 {
			t.Skip()
		}
		var s Secrets
		s.Add(secret)
		lines := linesOf(secret)
		if len(lines) == 0 {
			t.Skip()
		}
		all := codings()
		c, d := all[int(inner)%len(all)], all[int(outer)%len(all)]
		both := coded{code: func(text string) string { return d.code(c.code(text)) }}
		text := before + both.code(secret) + "\n"
		var out bytes.Buffer
		w := s.Writer(&out)
		for rest := text; rest != ""; {
			n := len(rest)
			if len(cuts) > 0 {
				n, cuts = min(n, 1+int(cuts[0])), cuts[1:]
			}
			if _, err := w.Write([]byte(rest[:n])); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		for _, told := range []string{out.String(), s.Text(text)} {
			for _, coding := range []coded{c, d, both} {
				if left := leaks(told, lines, coding); len(left) > 0 {
					t.Fatalf("%s in %s of %q shows %q:\n%q", c.name, d.name, secret, left, told)
				}
			}
		}
		if again := s.Text(s.Text(text)); again != s.Text(text) {
			t.Errorf("masked twice, %q is %q", s.Text(text), again)
		}
	})
}

// BenchmarkText masks a page of what a server says, as it comes for the most part
// without any secret, with the secrets of a large lab.
func BenchmarkText(b *testing.B) {
	line := `level=error msg="BareMetalHost clusters-hosted/worker0 cannot be registered" url="https://[2620:52:0:1305::1]:9000/redfish/v1" reason="HTTP 401 \"unauthorized\"" id=6b5a2c1e-0000-4000-8000-000000000010` + "\n"
	for _, size := range []struct {
		name string
		text string
	}{{"line", line}, {"page", strings.Repeat(line, 4096/len(line))}, {"log", strings.Repeat(line, (256<<10)/len(line))}} {
		for _, secrets := range []struct {
			name string
			all  *Secrets
		}{{"none", &Secrets{}}, {"few", withCanaries()}, {"many", withMany(100)}} {
			b.Run(size.name+"/"+secrets.name, func(b *testing.B) {
				b.SetBytes(int64(len(size.text)))
				b.ReportAllocs()
				for b.Loop() {
					secrets.all.Text(size.text)
				}
			})
		}
	}
}

// BenchmarkAdd makes the forms of a large lab's secrets.
func BenchmarkAdd(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		withMany(100)
	}
}

// withMany is a lab of many workers.
func withMany(workers int) *Secrets {
	s := withCanaries()
	for n := range workers {
		s.Add("of-worker-" + strings.Repeat(string(rune('a'+n%26)), 3) + "-" + strings.Repeat(string(rune('A'+n/26)), 4))
	}
	return s
}
