// Package masking keeps the secrets of a lab out of what its runs tell. A secret
// is of a type that does not print itself; this is the second line, for what
// comes back from outside: a server's message, a program's output, a request
// that an error quotes.
package masking

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"iter"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/labrun/labrun/pipeline/event"
)

// Mask stands where a secret stood.
const Mask = event.Mask

const (
	// shortest is the length in bytes from which a secret is looked for: masking
	// every "admin" would leave nothing to read.
	shortest = 6
	// shortestLine is that of one line of a secret of several.
	shortestLine = 8
)

// Secrets are the values that are masked. Its methods may be called side by side.
type Secrets struct {
	mu       sync.RWMutex
	hidden   []string // the longest first
	replacer *strings.Replacer
}

// Add makes value a secret, in plain and in base64, and each of its lines. Of JSON,
// such as a pull secret, each text is one too, and the password of each login in it.
func (s *Secrets) Add(value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.hidden)
	s.add(value, shortest)
	s.add(strings.TrimSpace(value), shortest)
	if strings.Contains(strings.TrimSpace(value), "\n") {
		for line := range strings.Lines(value) {
			if line = strings.TrimSpace(line); !strings.HasPrefix(line, "-----") { // the frame of a key is none
				s.add(line, shortestLine)
			}
		}
	}
	s.addTexts(value)
	if len(s.hidden) == before {
		return
	}
	slices.SortFunc(s.hidden, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	pairs := make([]string, 0, 2*len(s.hidden))
	for _, h := range s.hidden {
		pairs = append(pairs, h, Mask)
	}
	s.replacer = strings.NewReplacer(pairs...)
}

// addTexts adds the texts of a JSON document, and of those that are base64 of
// user:password the password.
func (s *Secrets) addTexts(value string) {
	if !strings.HasPrefix(strings.TrimSpace(value), "{") {
		return
	}
	var document any
	if json.Unmarshal([]byte(value), &document) != nil {
		return
	}
	for text := range texts(document) {
		s.add(text, shortestLine)
		login, err := base64.StdEncoding.DecodeString(text)
		if err != nil || !utf8.Valid(login) {
			continue
		}
		if _, password, found := strings.Cut(string(login), ":"); found {
			s.add(password, shortest)
		}
	}
}

// texts gives the texts of a JSON document, the names of its fields not among
// them.
func texts(v any) iter.Seq[string] {
	return func(yield func(string) bool) { eachText(v, yield) }
}

func eachText(v any, yield func(string) bool) bool {
	switch v := v.(type) {
	case string:
		return yield(v)
	case map[string]any:
		for _, value := range v {
			if !eachText(value, yield) {
				return false
			}
		}
	case []any:
		for _, value := range v {
			if !eachText(value, yield) {
				return false
			}
		}
	}
	return true
}

func (s *Secrets) add(value string, least int) {
	if len(value) < least {
		return
	}
	for _, h := range []string{value, base64.StdEncoding.EncodeToString([]byte(value))} {
		if !slices.Contains(s.hidden, h) {
			s.hidden = append(s.hidden, h)
		}
	}
}

// token is a JSON Web Token: nobody shows one on purpose, whose ever it is. An
// image's URL may hold one.
var token = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+`)

// Text is text with Mask in place of every secret, and of every token.
func (s *Secrets) Text(text string) string {
	s.mu.RLock()
	replacer := s.replacer
	s.mu.RUnlock()
	if replacer != nil {
		text = replacer.Replace(text)
	}
	if strings.Contains(text, "eyJ") {
		text = token.ReplaceAllLiteralString(text, Mask)
	}
	return text
}

// Before gives a sink that hands each event to all others with the secrets
// masked. Its error is that of the first that has one; all get the event.
func (s *Secrets) Before(sinks ...event.Sink) event.Sink { return &masked{s, sinks} }

type masked struct {
	secrets *Secrets
	sinks   []event.Sink
}

// Take hands the event on.
func (m *masked) Take(e event.Event) error {
	e = maskEvent(m.secrets.Text, e)
	var first error
	for _, sink := range m.sinks {
		if err := sink.Take(e); err != nil && first == nil {
			first = err
		}
	}
	return first
}
