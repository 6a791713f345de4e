package steps

import (
	"context"
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/decode"
	"github.com/labrun/labrun/pipeline/event"
)

// untilTold ends a step's context once it has told what it sees.
func untilTold(t *testing.T, l *Lab) (context.Context, *Env) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx, l.Env(pipeline.NewScope("lab", "phase", "step", "", func(e event.Event) error {
		if e.Type == event.StepProgress {
			cancel()
		}
		return nil
	}))
}

func TestHTTPServed(t *testing.T) {
	var asked atomic.Int32
	mux := http.NewServeMux()
	mux.HandleFunc("/ranges", func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "iso", time.Time{}, strings.NewReader("bytes"))
	})
	mux.HandleFunc("/whole", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("bytes")) })
	mux.HandleFunc("/empty", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/later", func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("bytes"))
	})
	plain := httptest.NewServer(mux)
	defer plain.Close()
	secure := httptest.NewTLSServer(mux)
	defer secure.Close()
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}))
	f := factsOf(t, ipv4)

	for _, c := range []struct {
		name    string
		step    HTTPServed
		summary string
	}{
		{"ranges", HTTPServed{URLs: []string{plain.URL + "/ranges"}}, "ranges answers, with ranges"},
		{"not all with ranges", HTTPServed{URLs: []string{plain.URL + "/ranges", plain.URL + "/whole"}}, "ranges, whole answer, not all with ranges"},
		{"the second time", HTTPServed{URLs: []string{plain.URL + "/later"}}, "later answers, without ranges"},
		{"a CA of its own", HTTPServed{URLs: []string{secure.URL + "/ranges"}, CA: ca}, "ranges answers, with ranges"},
	} {
		t.Run(c.name, func(t *testing.T) {
			env, _ := anEnv(t, f, LabOptions{})
			out, err := c.step.Run(t.Context(), env)
			if err != nil || out.Summary() != c.summary {
				t.Errorf("%q, %v, want %q", out.Summary(), err, c.summary)
			}
		})
	}
	for _, c := range []struct {
		name, url string
		want      []string
	}{
		{"absent", plain.URL + "/absent", []string{"/absent does not answer with bytes", "the server answered 404 Not Found", "curl -v -r 0-0 " + plain.URL + "/absent"}},
		{"empty", plain.URL + "/empty", []string{"the server answered 200 OK without a byte"}},
		{"unknown CA", secure.URL + "/ranges", []string{"certificate"}},
		{"nobody listens", "http://127.0.0.1:1/iso", []string{"connection refused"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, env := untilTold(t, NewLab(f, LabOptions{}))
			_, err := HTTPServed{URLs: []string{c.url}}.Run(ctx, env)
			wantError(t, err, c.want...)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("the error does not say that the time was over: %v", err)
			}
		})
	}
}

// nameServer is a DNS server on loopback.
func nameServer(t *testing.T, records ...string) string {
	t.Helper()
	mux := dns.NewServeMux()
	mux.HandleFunc(".", func(w dns.ResponseWriter, q *dns.Msg) {
		reply := new(dns.Msg).SetReply(q)
		known := false
		for _, text := range records {
			rr, err := dns.NewRR(text)
			if err != nil {
				t.Error(err)
				continue
			}
			if strings.EqualFold(rr.Header().Name, q.Question[0].Name) {
				known = true
				if rr.Header().Rrtype == q.Question[0].Qtype {
					reply.Answer = append(reply.Answer, rr)
				}
			}
		}
		if !known {
			reply.Rcode = dns.RcodeNameError
		}
		_ = w.WriteMsg(reply)
	})
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	started := make(chan struct{})
	server := &dns.Server{PacketConn: conn, Handler: mux, NotifyStartedFunc: func() { close(started) }}
	ended := make(chan error, 1)
	go func() { ended <- server.ActivateAndServe() }()
	<-started
	t.Cleanup(func() {
		if err := errors.Join(server.Shutdown(), <-ended); err != nil {
			t.Error(err)
		}
	})
	return conn.LocalAddr().String()
}

func TestDNSResolves(t *testing.T) {
	server := nameServer(t, "console.apps.lab.example. 1 IN A 127.1.0.1", "console.apps.lab.example. 1 IN AAAA fd00::1", "two.lab.example. 1 IN A 127.1.0.1", "two.lab.example. 1 IN A 127.1.0.2")
	f := factsOf(t, ipv4, "lab.dns.server="+server)
	env, _ := anEnv(t, f, LabOptions{})
	out, err := DNSResolves{Names: []string{"console.apps.lab.example"}, Addresses: []string{"127.1.0.1", "FD00:0::1"}}.Run(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, out.Addresses, []string{"127.1.0.1", "fd00::1"})
	if want := "console.apps.lab.example is 127.1.0.1, fd00::1"; out.Summary() != want {
		t.Errorf("summary %q, want %q", out.Summary(), want)
	}
	host, port, err := net.SplitHostPort(server)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, asks string
		want       []string
	}{
		{"another address beside it", "two.lab.example", []string{"two.lab.example does not lead to 127.1.0.1", "it resolves to 127.1.0.1, 127.1.0.2", "why: it matters", "dig -p " + port + " @" + host + " two.lab.example A two.lab.example AAAA"}},
		{"unknown", "unknown.lab.example", []string{"lookup unknown.lab.example on " + server + ": no such host"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, env := untilTold(t, NewLab(f, LabOptions{}))
			_, err := DNSResolves{Names: []string{c.asks}, Addresses: []string{"127.1.0.1"}, Why: "it matters"}.Run(ctx, env)
			wantError(t, err, c.want...)
		})
	}
	for server, want := range map[string]string{"": "host x", "nonsense": "dig x ANY @nonsense"} {
		if got := (DNSResolves{}).command("x", server); got != want {
			t.Errorf("command %q, want %q", got, want)
		}
	}
}

func TestAssert(t *testing.T) {
	for _, c := range []struct{ name, that, want string }{
		{"true", "len(lab.workers) == 2", ""},
		{"false", "lab.disconnected", "too small"},
	} {
		t.Run(c.name, func(t *testing.T) {
			that := expression(t, c.that)
			env, _ := anEnv(t, factsOf(t, ipv4), LabOptions{})
			out, err := Assert{That: that, Message: "too small"}.Run(t.Context(), env)
			if c.want == "" {
				if err != nil || out.Summary() != c.that {
					t.Errorf("%q, %v", out.Summary(), err)
				}
				return
			}
			wantError(t, err, c.want, "that: "+c.that)
			_, err = Assert{That: that}.Run(t.Context(), env)
			wantError(t, err, "the assertion does not hold")
		})
	}
}

// expression compiles one as a lab file's assert does.
func expression(t *testing.T, text string) decode.Expr {
	t.Helper()
	p := loadText(t, text)
	options, err := p.Steps[0].Options(p.Values)
	if err != nil {
		t.Fatal(err)
	}
	return options.(Assert).That
}
