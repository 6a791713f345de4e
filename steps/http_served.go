package steps

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps/site"
	"github.com/labrun/labrun/steps/trouble"
)

// HTTPServed waits until each URL serves bytes: a GET with a Range, as the
// programs that fetch images ask.
type HTTPServed struct {
	URLs []string `yaml:"urls" doc:"URLs that must answer"`
	CA   string   `yaml:"ca,omitempty" doc:"certificates that are trusted beside the system's and the registry's"`
}

// HTTPServedOutputs is what was answered.
type HTTPServedOutputs struct {
	Ranges bool `yaml:"ranges" doc:"every URL serves ranges"`
	asked  []string
}

// Summary says what answered.
func (o HTTPServedOutputs) Summary() string {
	answer, ranges := " answer", ", with ranges"
	if len(o.asked) == 1 {
		answer = " answers"
	}
	switch {
	case !o.Ranges && len(o.asked) == 1:
		ranges = ", without ranges"
	case !o.Ranges:
		ranges = ", not all with ranges"
	}
	var names []string
	for _, url := range o.asked {
		names = append(names, path.Base(url))
	}
	return strings.Join(names, ", ") + answer + ranges
}

// requestTimeout bounds one request for one byte.
const requestTimeout = 10 * time.Second

// Run asks one URL after the other.
func (s HTTPServed) Run(ctx context.Context, env *Env) (HTTPServedOutputs, error) {
	client, err := s.client(env)
	if err != nil {
		return HTTPServedOutputs{}, err
	}
	defer client.CloseIdleConnections()
	out := HTTPServedOutputs{Ranges: true, asked: s.URLs}
	for _, url := range s.URLs {
		told := func(err error) event.Report {
			return coded(report(url+" does not answer with bytes", "seen", err.Error(), "curl -v -r 0-0 "+url), trouble.URLSilent)
		}
		served, err := poll(ctx, env, told, func(ctx context.Context) (site.Served, error) { return site.FirstByte(ctx, client, url) })
		if err != nil {
			return out, err
		}
		out.Ranges = out.Ranges && served.Ranges
	}
	return out, nil
}

func (s HTTPServed) client(env *Env) (*http.Client, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("reading the system's certificates: %w", err)
	}
	for _, pem := range []string{s.CA, env.Facts().Registry.CA.Text} {
		pool.AppendCertsFromPEM([]byte(pem))
	}
	return &http.Client{Timeout: requestTimeout, Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
	}}, nil
}
