package masking

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/labrun/labrun/internal/masking/weak"
)

// shortestLine is the length in bytes from which a line of a secret of several,
// or a text of one of JSON, is a secret by itself.
const shortestLine = 8

// partsOf gives what of a secret is one by itself, the whole first.
func partsOf(value string) []string {
	p := &parts{}
	p.add(value, weak.Shortest)
	whole := strings.TrimSpace(value)
	p.add(whole, weak.Shortest)
	if strings.ContainsAny(whole, "\r\n") {
		for line := range strings.FieldsFuncSeq(whole, func(r rune) bool { return r == '\n' || r == '\r' }) {
			if line = strings.TrimSpace(line); !strings.HasPrefix(line, "-----") { // the frame of a key is none
				p.add(line, shortestLine)
			}
		}
	} else {
		p.login(whole)
	}
	var document any
	if strings.HasPrefix(whole, "{") && json.Unmarshal([]byte(whole), &document) == nil {
		p.document("", document)
	}
	return p.all
}

type parts struct{ all []string }

func (p *parts) add(part string, least int) {
	if len(part) >= least {
		p.all = append(p.all, part)
	}
}

// login adds the password of user:password.
func (p *parts) login(text string) {
	if user, password, found := strings.Cut(text, ":"); found && user != "" && !strings.ContainsAny(user, " /") {
		p.add(password, weak.Shortest)
	}
}

// document adds the texts of a JSON document, the names of its fields not among
// them, and of logins in base64 the password.
func (p *parts) document(name string, v any) {
	switch v := v.(type) {
	case string:
		least := shortestLine
		if strings.Contains(name, "password") || strings.Contains(name, "token") {
			least = weak.Shortest
		}
		p.add(v, least)
		if plain, err := base64.StdEncoding.DecodeString(v); err == nil && utf8.Valid(plain) {
			p.login(string(plain))
		}
	case map[string]any:
		for name, value := range v {
			p.document(strings.ToLower(name), value)
		}
	case []any:
		for _, value := range v {
			p.document(name, value)
		}
	}
}
