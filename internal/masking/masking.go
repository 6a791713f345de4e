// Package masking keeps the secrets of a lab out of what its runs tell. A secret
// is of a type that does not print itself; this is the second line, for what
// comes back from outside: a server's message, a program's output, a request
// that an error quotes.
//
// A secret is found in plain, and under whatever JSON, YAML, Go, a shell, a URL,
// HTML or base64 made of it, also one inside the other: the text is decoded, not
// the secret encoded, so that no spelling is forgotten. Of a secret of several
// lines each line of 8 characters or more is found, of JSON each text.
package masking

import (
	"regexp"
	"strings"
	"sync"

	"github.com/labrun/labrun/internal/masking/weak"
	"github.com/labrun/labrun/pipeline/event"
)

// Mask stands where a secret stood.
const Mask = event.Mask

// Secrets are the values that are masked. Its methods may be called side by side.
type Secrets struct {
	mu    sync.RWMutex
	known []weak.Known
	forms *forms // nil where there are none
}

// Spare names texts that stay readable. A secret that is one of them, or a part of
// one, is not looked for. It is called before Add.
func (s *Secrets) Spare(known []weak.Known) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known = known
}

// Add makes a value a secret, and what of it is one by itself: its lines, the
// texts of JSON such as a pull secret, the password of a login. What is too weak
// to be masked without harm is left out.
func (s *Secrets) Add(value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, part := range weak.Parts(value) {
		if weak.Why(part, s.known) != "" {
			continue
		}
		if s.forms == nil {
			s.forms = newForms()
		}
		s.forms.add(part)
	}
}

// token is a JSON Web Token: nobody shows one on purpose, whose ever it is. An
// image's URL may hold one.
var token = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+`)

// Text is text with Mask in place of every secret, and of every token.
func (s *Secrets) Text(text string) string {
	s.mu.RLock()
	text = s.forms.mask(text)
	s.mu.RUnlock()
	if strings.Contains(text, "eyJ") {
		text = token.ReplaceAllLiteralString(text, Mask)
	}
	return text
}

// Holds says whether a secret stands in a text.
func (s *Secrets) Holds(text string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.forms.find(text)) > 0
}

// whole is the length of what of an unfinished line holds no beginning of a secret.
func (s *Secrets) whole(line []byte) int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.forms.whole(line)
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
