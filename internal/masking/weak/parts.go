package weak

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// ShortestLine is the length in bytes from which a line of a secret of several,
// or a text of one of JSON, is a secret by itself.
const ShortestLine = 8

// Parts gives what of a secret is one by itself, the whole first: its lines, the
// texts of JSON such as a pull secret, the passwords of logins. What is blank is
// none.
func Parts(value string) []string {
	p := split(value)
	return append(p.all, p.passwords...)
}

// Passwords gives the passwords of the logins in a secret, those too that are too
// short to be looked for.
func Passwords(value string) []string { return split(value).passwords }

func split(value string) *parts {
	p := &parts{}
	p.add(value, Shortest)
	whole := strings.TrimSpace(value)
	p.add(whole, Shortest)
	if strings.ContainsAny(whole, "\r\n") {
		for line := range strings.FieldsFuncSeq(whole, func(r rune) bool { return r == '\n' || r == '\r' }) {
			if line = strings.TrimSpace(line); !strings.HasPrefix(line, "-----") { // the frame of a key is none
				p.add(line, ShortestLine)
			}
		}
	} else {
		p.login(whole)
	}
	var document any
	if strings.HasPrefix(whole, "{") && json.Unmarshal([]byte(whole), &document) == nil {
		p.document("", document)
	}
	return p
}

type parts struct{ all, passwords []string }

func (p *parts) add(part string, least int) {
	if len(part) >= least && strings.TrimSpace(part) != "" {
		p.all = append(p.all, part)
	}
}

// login adds the password of user:password. A login may have none: one whose
// password is an identity token beside it.
func (p *parts) login(text string) {
	user, password, _ := strings.Cut(text, ":")
	if strings.TrimSpace(password) == "" {
		return
	}
	if user != "" && !strings.ContainsAny(user, " /{") && !strings.HasPrefix(password, "//") {
		p.passwords = append(p.passwords, password)
	}
}

// document adds the texts of a JSON document, the names of its fields not among
// them, and of logins in base64 the password.
func (p *parts) document(name string, v any) {
	switch v := v.(type) {
	case string:
		least := ShortestLine
		if strings.Contains(name, "password") || strings.Contains(name, "token") {
			least = Shortest
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
