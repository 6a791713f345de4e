package redfish

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"syscall"
	"time"
)

const (
	duplicateRemedy = "give each host its own name, BMC path and boot MAC"
	expirySoon      = 30 * 24 * time.Hour
)

var redfishVersion = regexp.MustCompile(`^[0-9]+\.[0-9]+(\.[0-9]+)?$`)

func askAddress(_ context.Context, p *probe) finding {
	var bad *AddressError
	switch {
	case errors.As(p.addressErr, &bad):
		return fail(bad.Remedy(), "%s: %s", bad.Address, bad.Problem)
	case p.addressErr != nil:
		return fail("", "%v", p.addressErr)
	case p.address.LinkLocal():
		return warn("give the BMC a routed address", "%s is link-local: only the BMC's own link reaches it", p.address.Host)
	}
	return pass("%s, %s over %s", p.address.Type, p.address.Endpoint(), p.address.Scheme)
}

func askDuplicate(_ context.Context, p *probe) finding {
	if shared := p.run.peers.shared(p.host, p.address); len(shared) > 0 {
		return fail("", "%s", strings.Join(shared, "; "))
	}
	return pass("shared with no other host")
}

func askCredentials(_ context.Context, p *probe) finding {
	user, password := p.host.Credentials.Username, p.host.Credentials.Password
	switch {
	case user == "" && password == "":
		return fail("", "user and password are empty")
	case user == "":
		return fail("", "the user is empty")
	case password == "":
		return fail("", "the password is empty")
	case strings.TrimSpace(user) != user:
		return warn("", "the user has white space at an end")
	case strings.TrimRight(password, "\r\n") != password:
		return warn("write the password without a newline (printf, not echo)", "the password ends in a newline")
	case strings.TrimSpace(password) != password:
		return warn("", "the password has white space at an end")
	}
	return pass("user and password are there")
}

func askDNS(ctx context.Context, p *probe) finding {
	if _, err := netip.ParseAddr(p.address.Host); err == nil {
		return skip("%s is an address: nothing to resolve", p.address.Host)
	}
	network := p.run.opts.Network
	ctx, cancel := context.WithTimeout(ctx, p.run.opts.Timeout)
	defer cancel()
	found, err := p.run.opts.Resolver.LookupNetIP(ctx, network, p.address.Host)
	if err == nil && len(found) > 0 {
		var texts []string
		for _, ip := range found {
			texts = append(texts, ip.Unmap().String())
		}
		return pass("%s is %s", p.address.Host, strings.Join(texts, ", "))
	}
	family := map[string]string{"ip4": " to an IPv4 address", "ip6": " to an IPv6 address"}[network]
	var missing *net.DNSError
	if errors.As(err, &missing) && !missing.IsNotFound {
		return fail("", "%s does not resolve%s: %s", p.address.Host, family, reason(err))
	}
	return fail("", "%s does not resolve%s", p.address.Host, family)
}

func askTCP(ctx context.Context, p *probe) finding {
	d := p.service.conn.dialer
	d.network = strings.Replace(p.run.opts.Network, "ip", "tcp", 1)
	if _, err := netip.ParseAddr(p.address.Host); err == nil {
		d.network = "tcp" // an address has its family; only a name is looked up in the lab's
	}
	began := time.Now()
	conn, err := d.connect(ctx)
	switch {
	case err == nil:
		d.keep(conn)
		return pass("connected to %s", conn.RemoteAddr())
	case errors.Is(err, syscall.ECONNREFUSED):
		return fail("check the port and that the BMC's web service is on: something answers at this address, but not there", "%s refuses the connection", p.address.Endpoint())
	case timedOut(err):
		return fail("check address, firewalls and the route to the BMC: nothing comes back", "%s does not answer within %s", p.address.Endpoint(), time.Since(began).Round(100*time.Millisecond))
	}
	return fail("", "%s: %s", p.address.Endpoint(), reason(err))
}

func askTLS(ctx context.Context, p *probe) finding {
	d := p.service.conn.dialer
	if p.address.Scheme != "https" {
		return skip("plain http: there is no certificate")
	}
	conn, err := d.DialContext(ctx, "", "")
	if err == nil {
		d.keep(conn)
	} else if !errors.Is(err, errCertificate) {
		var noTLS tls.RecordHeaderError
		if errors.As(err, &noTLS) {
			kind, _, _ := strings.Cut(p.address.Type, "+")
			return fail("use "+kind+"+http, or the BMC's https port", "%s speaks no TLS", p.address.Endpoint())
		}
		return fail(handshakeRemedy(err), "%s: the TLS handshake failed: %s", p.address.Endpoint(), reason(err))
	}
	state := d.state()
	now := p.run.opts.Now()
	bad := d.judge(state, now)
	switch {
	case bad != nil && d.verify:
		return fail("", "%s", printable(bad.Error()))
	case bad != nil:
		return warn("nothing, if it is meant: verification is off for this host", "%s", printable(bad.Error()))
	}
	until := state.PeerCertificates[0].NotAfter
	if until.Sub(now) < expirySoon {
		return warn("renew the BMC's certificate", "the certificate expires on %s", until.UTC().Format(time.DateOnly))
	}
	return pass("certificate good until %s", until.UTC().Format(time.DateOnly))
}

// handshakeRemedy is for a handshake that did not come to its end: no certificate is judged then.
func handshakeRemedy(err error) string {
	if timedOut(err) {
		return "reset the BMC: it takes a connection and does not go on; check the port, if it is not the one of its web service"
	}
	return "enable TLS 1.2 or 1.3 with AES-GCM on the BMC, or update its firmware: protocol or cipher do not fit, and that is no matter of its certificate"
}

// readRoot reads the service root, which asks for no credential.
func (p *probe) readRoot(ctx context.Context) (*resource, error) {
	return p.service.conn.get(ctx, serviceRoot)
}

func askRedirect(ctx context.Context, p *probe) finding {
	_, err := p.readRoot(ctx)
	met := p.service.conn.redirect
	switch {
	case met != nil && met.foreign:
		return fail("", "%s redirects to %s", met.from, met.to)
	case errors.Is(err, ErrRedirect):
		return fail("", "%s", reasonOf(err))
	case met != nil:
		return pass("%s redirects to %s, on the same service", met.from, met.to)
	case err != nil && statusOf(err) == 0:
		return unknown("%s", reasonOf(err))
	}
	return pass("none")
}

func askRoot(ctx context.Context, p *probe) finding {
	root, err := p.readRoot(ctx)
	if status := statusOf(err); status == http.StatusUnauthorized || status == http.StatusForbidden {
		p.service.root = &resource{path: serviceRoot}
		return unknown("HTTP %d: this service root asks for a login, against the standard", status)
	}
	if err != nil {
		return fail(rootRemedy(err), "%s", reasonOf(err))
	}
	p.service.root = root
	version, err := root.text("RedfishVersion")
	if err == nil && !redfishVersion.MatchString(version) {
		err = &PropertyError{Path: root.path, Property: "RedfishVersion", Problem: "is no version"}
	}
	if err == nil {
		return pass("RedfishVersion %s", printable(version))
	}
	if isRoot, _ := root.isA("ServiceRoot"); isRoot {
		return unknown("%s", reasonOf(err))
	}
	return fail("", "a JSON object that is no service root: it has neither RedfishVersion nor that @odata.type")
}

// rootRemedy tells a BMC that does not answer, or not well, from what is none.
func rootRemedy(err error) string {
	switch status := statusOf(err); {
	case status == 0:
		return "reset the BMC: it takes a connection and answers no request; check the port, if it is not the one of its web service"
	case status == http.StatusTooManyRequests || status >= 500:
		return "wait until the BMC has started, or reset it: its web service answers, and its Redfish service does not"
	}
	return ""
}

func askAuth(ctx context.Context, p *probe) finding {
	s := p.service
	if s.auth == nil {
		out := s.conn.authenticate(ctx, s.root)
		s.auth = &out
	}
	out := s.auth
	switch {
	case out.err == nil:
		return pass("%s: accepted", out.how)
	case out.status == http.StatusUnauthorized:
		return fail("", "%s: HTTP 401; not tried again, since BMCs lock accounts", out.how)
	case out.status == http.StatusForbidden:
		return warn("give the user a role that may log in over Redfish (Operator or Administrator)", "%s: HTTP 403", out.how)
	case out.full, out.status == http.StatusNotFound, out.status/100 == 2:
		return unknown("%s: %s", out.how, reasonOf(out.err))
	}
	return fail("see the BMC's log: it did not judge the credential", "%s", reasonOf(out.err))
}

func askSession(_ context.Context, p *probe) finding {
	link, err := p.service.root.link("Links", "Sessions")
	login := &p.service.conn.login
	switch {
	case err != nil:
		return skip("the service root names no session collection: Basic is used")
	case p.service.auth.full:
		return fail("", "no session to be had: %s", reasonOf(p.service.auth.err))
	case login.basic:
		return warn("", "%s is advertised but opens no session: Basic is used", printable(link))
	case login.session == "" && login.token != "":
		return warn("", "a session was opened, but the BMC does not say where it stands, so it cannot be deleted")
	case login.session == "":
		return warn("", "no session was opened")
	}
	return pass("opened, and deleted at the end")
}
