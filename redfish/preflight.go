package redfish

import (
	"context"
	"encoding/json"
	"net"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Options of a pre-flight. The zero value is usable: the defaults stand behind the fields.
type Options struct {
	Image       string                           // the image that the BMCs will fetch; empty: not known yet
	Timeout     time.Duration                    // of one request: 10 s
	HostTimeout time.Duration                    // of one host: 60 s
	Concurrency int                              // services asked at a time: 256
	Network     string                           // families in which a BMC's name must resolve: "ip", "ip4" or "ip6": "ip"
	Resolver    *net.Resolver                    // nil: the system's
	Progress    func(host string, result Result) // called after each check, one call at a time; may be nil
	Now         func() time.Time                 // for dates of certificates: time.Now
}

func (o Options) withDefaults() Options {
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	if o.HostTimeout <= 0 {
		o.HostTimeout = time.Minute
	}
	if o.Concurrency <= 0 {
		o.Concurrency = 256
	}
	if o.Network == "" {
		o.Network = "ip"
	}
	if o.Resolver == nil {
		o.Resolver = net.DefaultResolver
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Report is what one host's BMC said.
type Report struct {
	Name     string        `json:"name"`
	Address  string        `json:"address"` // as given, user info masked
	Vendor   string        `json:"vendor"`  // empty where the BMC does not say; so are the next two
	Model    string        `json:"model"`
	Firmware string        `json:"firmware"` // of the BMC
	Status   Status        `json:"status"`   // pass, warn or fail; unknown: interrupted before all was asked
	Requests int           `json:"requests"` // what hosts of one service share counts for the first of them
	Duration time.Duration `json:"-"`        // duration_ms in JSON
	Checks   []Result      `json:"checks"`   // in the order of Catalogue
}

// Usable says whether the host can be used: nothing failed, and all was asked.
func (r Report) Usable() bool { return r.Status == Pass || r.Status == Warn }

// Check gives the result of one check; the zero Result where there is none.
func (r Report) Check(id string) Result {
	for _, c := range r.Checks {
		if c.ID == id {
			return c
		}
	}
	return Result{}
}

// MarshalJSON adds the duration in milliseconds.
func (r Report) MarshalJSON() ([]byte, error) {
	type plain Report
	return json.Marshal(struct {
		plain
		DurationMS int64 `json:"duration_ms"`
	}{plain(r), r.Duration.Milliseconds()})
}

// Preflight asks all hosts' BMCs at once and gives one report a host, in the order given. Hosts behind one service (same
// scheme, host, port and credential) are asked one after the other over one connection with one authentication. It returns
// early only where ctx ends; the sessions that it opened are deleted then too.
func Preflight(ctx context.Context, hosts []Host, opts Options) []Report {
	opts = opts.withDefaults()
	run := &run{opts: opts, peers: newPeers(hosts)}
	services := run.services(hosts)
	var group errgroup.Group
	group.SetLimit(opts.Concurrency)
	for _, s := range services {
		group.Go(func() error {
			s.askAll(ctx)
			return nil
		})
	}
	_ = group.Wait() // no function above returns an error

	reports := make([]Report, len(hosts))
	for _, s := range services {
		for _, p := range s.probes {
			reports[p.index] = p.report
		}
	}
	sameUUID(services, reports)
	return reports
}

// run is what all hosts of one pre-flight share.
type run struct {
	opts  Options
	peers *peers

	mu sync.Mutex // Progress is called by one goroutine at a time
}

func (r *run) progress(host string, result Result) {
	if r.opts.Progress == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.opts.Progress(host, result)
}

// serviceKey is what hosts must have in common to share a connection.
type serviceKey struct {
	scheme, endpoint string
	credentials      Credentials
	insecure         bool
	roots            any // *x509.CertPool, compared by address
}

// services groups the hosts by service, in the order of their first host. A host whose address cannot be read stands alone.
func (r *run) services(hosts []Host) []*service {
	var out []*service
	byKey := map[serviceKey]*service{}
	for i, h := range hosts {
		p := &probe{index: i, host: h, run: r}
		if p.host.Image == "" {
			p.host.Image = r.opts.Image
		}
		p.report = Report{Name: h.Name, Address: maskUserInfo(h.Address)}
		p.address, p.addressErr = ParseAddress(h.Address)
		if p.addressErr != nil {
			s := &service{}
			s.add(p)
			out = append(out, s)
			continue
		}
		key := serviceKey{p.address.Scheme, p.address.Endpoint(), h.Credentials, h.DisableCertificateVerification, h.RootCAs}
		s, ok := byKey[key]
		if !ok {
			s = &service{}
			if s.conn, p.addressErr = newConn(h, p.address, r.opts); p.addressErr == nil {
				s.conn.cache = map[string]answer{}
				byKey[key] = s
			}
			out = append(out, s)
		}
		s.add(p)
	}
	return out
}

// service is one BMC, or an emulator of several, and the hosts behind it.
type service struct {
	conn   *conn // nil where the address cannot be read
	probes []*probe
	shared map[string]finding // results that hold for all hosts of the service, by check
	root   *resource
	auth   *outcome // nil: not asked yet
}

func (s *service) add(p *probe) {
	p.service = s
	s.probes = append(s.probes, p)
}

// askAll asks for one host after the other, then deletes the session.
func (s *service) askAll(ctx context.Context) {
	s.shared = map[string]finding{}
	for _, p := range s.probes {
		p.askAll(ctx)
	}
	if s.conn == nil {
		return
	}
	before := s.conn.counter.n.Load()
	opened := s.conn.login.session
	err := s.conn.logout(ctx)
	s.probes[0].report.Requests += int(s.conn.counter.n.Load() - before)
	if err == nil {
		return
	}
	left := warn("delete it on the BMC, or wait for its timeout: BMCs allow few sessions", "session %s was not deleted: %s", opened, reasonOf(err))
	for _, p := range s.probes {
		p.amend("session", left)
	}
}
