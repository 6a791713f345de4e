package redfish

import (
	"fmt"
	"net/http"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"testing"
	"time"

	"github.com/labrun/labrun/redfish/bmctest"
)

// latency is that of each answer of the BMCs of a rack.
const latency = 200 * time.Millisecond

// rack is many BMCs with two interfaces and two media slots each, TLS and sessions.
type rack struct {
	hosts []Host
	bmcs  []*bmctest.BMC

	mu   sync.Mutex
	last time.Time // when the last BMC was asked to delete its session
}

// newRack starts n BMCs that share one certificate: what is measured is not how fast keys are made.
func newRack(t testing.TB, n int, config bmctest.Config) *rack {
	t.Helper()
	certificate, err := bmctest.NewCertificate(time.Now().Add(365 * 24 * time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	r := &rack{}
	config.TLS, config.Certificate, config.Sessions, config.Arrived = true, certificate, true, r.arrived
	for i := range n {
		config.Tree = rich(bmctest.Small()).Set(bmctest.System, fmt.Sprintf("%08d-7742-3448-3784-823347823834", i), "UUID")
		mac := fmt.Sprintf("52:54:00:01:%02x:%02x", i/256, i%256)
		config.Tree.Set(bmctest.NICs+"/2", mac, "MACAddress")
		b := start(t, config)
		h := hostAt(b)
		h.Name, h.BootMAC, h.NeedsDisk = fmt.Sprintf("worker%d", i), mac, false
		if i > 0 {
			h.RootCAs = r.hosts[0].RootCAs
		}
		r.hosts, r.bmcs = append(r.hosts, h), append(r.bmcs, b)
	}
	return r
}

func (r *rack) arrived(request bmctest.Request) {
	if request.Method == http.MethodDelete {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.last = time.Now()
	}
}

// left counts the sessions that are open, and what all BMCs were asked.
func (r *rack) left() (sessions, requests int) {
	for _, b := range r.bmcs {
		open, _ := b.Sessions()
		sessions += open
		requests += len(b.Requests())
	}
	return sessions, requests
}

// The budget of one BMC, with and without $expand: each request counted, nothing asked twice, no session left.
func TestRackRequests(t *testing.T) {
	for _, expand := range []bmctest.Expand{bmctest.ExpandNone, bmctest.ExpandWorks} {
		r := newRack(t, 8, bmctest.Config{Expand: expand})
		for i, report := range Preflight(t.Context(), r.hosts, Options{}) {
			b := r.bmcs[i]
			if report.Status != Pass || report.Requests != len(b.Requests()) || b.Connections() != 1 || b.MostInFlight() != 1 || len(b.Twice()) != 0 {
				t.Errorf("%d connections, %d in flight, asked twice: %v: %+v", b.Connections(), b.MostInFlight(), b.Twice(), report)
			}
			a := classify(b.Requests())
			if a.fixed > mostFixed || a.nics > 2 || a.slots > 2 || expand == bmctest.ExpandWorks && a.nics+a.slots > 0 {
				t.Errorf("%+v: %v", a, b.Requests())
			}
			if i == 0 {
				t.Logf("$expand %v: %+v", expand == bmctest.ExpandWorks, a)
			}
		}
		if sessions, _ := r.left(); sessions != 0 {
			t.Errorf("%d sessions left", sessions)
		}
	}
}

func BenchmarkPreflight(b *testing.B) {
	hanging := bmctest.Fault{Kind: bmctest.Hang}
	for _, bench := range []struct {
		name   string
		n      int
		expand bmctest.Expand
		hangs  bool
	}{
		{"100", 100, bmctest.ExpandNone, false},
		{"100, $expand", 100, bmctest.ExpandWorks, false},
		{"100, one hanging", 100, bmctest.ExpandNone, true},
		{"1000", 1000, bmctest.ExpandNone, false},
	} {
		b.Run(bench.name, func(b *testing.B) {
			r := newRack(b, bench.n, bmctest.Config{Latency: latency, Expand: bench.expand})
			if bench.hangs {
				r.bmcs[0].Break(hanging)
			}
			debug.FreeOSMemory()
			memory := watchMemory()
			var others time.Duration
			for b.Loop() {
				began := time.Now()
				for i, report := range Preflight(b.Context(), r.hosts, Options{}) {
					if want := map[bool]Status{false: Pass, true: Fail}[bench.hangs && i == 0]; report.Status != want {
						b.Fatalf("%+v", report)
					}
				}
				r.mu.Lock()
				others = max(others, r.last.Add(latency).Sub(began))
				r.mu.Unlock()
			}
			sessions, requests := r.left()
			b.ReportMetric(memory()/(1<<20), "MiB")
			b.ReportMetric(float64(requests)/float64(b.N*bench.n), "requests/BMC")
			b.ReportMetric(float64(sessions), "sessions-left")
			if bench.hangs {
				b.ReportMetric(others.Seconds(), "s-for-the-99")
			}
		})
	}
}

// watchMemory gives a function that says how many bytes Go has held of the system's memory since, at most: of this
// process, the BMCs within it included.
func watchMemory() func() float64 {
	held := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	var most uint64
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			metrics.Read(held)
			most = max(most, held[0].Value.Uint64()-held[1].Value.Uint64())
			select {
			case <-tick.C:
			case <-stop:
				return
			}
		}
	}()
	return func() float64 {
		close(stop)
		<-done
		return float64(most)
	}
}
