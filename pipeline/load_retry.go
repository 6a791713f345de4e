package pipeline

import (
	"strconv"
	"strings"
	"time"

	"github.com/labrun/labrun/pipeline/decode"
	"github.com/labrun/labrun/pipeline/gate"
	"github.com/labrun/labrun/pipeline/source"
)

// Retry says how often a step is tried, and after which failures again.
type Retry struct {
	Attempts int           // the first counts, too
	Backoff  time.Duration // before the second attempt; doubles with each, with jitter
	Max      time.Duration // of one wait
	When     *Expression   // over error, lab, vars and env; nil: after every failure
}

// retryDocument is the grammar of retry.
type retryDocument struct {
	Attempts *source.Node `yaml:"attempts,omitempty" doc:"how often it is tried, the first time included; 3 where it is absent"`
	Backoff  *source.Node `yaml:"backoff,omitempty" doc:"the wait before the second attempt, doubled for each further one; 5s where it is absent"`
	Max      *source.Node `yaml:"max,omitempty" doc:"the longest wait between two attempts; 1m where it is absent"`
	When     *source.Node `yaml:"when,omitempty" doc:"an expression over error: which failures are tried again"`
}

// What a retry has that does not say otherwise.
const (
	defaultAttempts = 3
	defaultBackoff  = 5 * time.Second
	defaultMaxWait  = time.Minute
	mostAttempts    = 1000
)

// retry reads a step's retry; nil for none.
func (l *loader[E]) retry(s *step[E]) *Retry {
	n := s.doc.Retry
	if n == nil {
		return nil
	}
	var doc retryDocument
	found := l.decoder.Into(n, &doc, decode.Target{Name: s.ID + ".retry", Prefix: s.ID + ".retry.", Noun: "key"}, nil)
	if l.fail(found...); len(found) > 0 {
		return nil
	}
	r := &Retry{Attempts: defaultAttempts, Backoff: defaultBackoff, Max: defaultMaxWait}
	if doc.Attempts != nil {
		r.Attempts = l.count("attempts", doc.Attempts)
	}
	if span := l.duration("backoff", doc.Backoff); span > 0 {
		r.Backoff = span
	}
	if span := l.duration("max", doc.Max); span > 0 {
		r.Max = span
	} else {
		r.Max = max(r.Max, r.Backoff)
	}
	if doc.Max != nil && r.Max < r.Backoff {
		l.fail(doc.Max.Find("max is shorter than backoff, "+r.Backoff.String(), "the first wait is backoff, and no wait is longer than max"))
	}
	scope := gate.Scope{Roots: map[string]gate.Type{"error": gate.String()}}
	for _, root := range []string{"lab", "vars", "env"} {
		scope.Roots[root] = l.scope.Roots[root]
	}
	r.When = l.expression(s, doc.When, scope, gate.Bool())
	return r
}

// count reads a whole number of at least 1.
func (l *loader[E]) count(key string, n *source.Node) int {
	count, err := strconv.Atoi(n.Text)
	if n.Kind != source.Scalar || n.Style != source.Plain || err != nil || count < 1 || count > mostAttempts {
		l.fail(n.Find(key+" must be a whole number from 1 to "+strconv.Itoa(mostAttempts)+", found "+n.Describe(), ""))
		return 0
	}
	return count
}

func readText(r stepRead) string { return strings.Join(r.Path, ".") }
