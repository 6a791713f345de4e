package redfish

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// image is the URL that the BMC will fetch; where there is none, why.
func (p *probe) image() (*url.URL, finding) {
	if p.host.Image == "" {
		return nil, unknown("the image's URL is not known yet")
	}
	u, err := url.Parse(p.host.Image)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, unknown("%s is no http or https URL", p.shownImage())
	}
	return u, finding{}
}

// shownImage is the image's URL without secrets, and how it is known.
func (p *probe) shownImage() string {
	if p.host.ImageFrom == "" {
		return orUnnamed(p.host.Image)
	}
	return orUnnamed(p.host.Image) + " (" + printable(p.host.ImageFrom) + ")"
}

func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

func askImageURL(_ context.Context, p *probe) finding {
	u, none := p.image()
	switch {
	case u == nil && p.host.Image == "":
		return none
	case u == nil:
		return warn("give a URL that starts with http:// or https://", "%s", none.seen)
	}
	var odd []string
	if !strings.HasSuffix(strings.ToLower(u.Path), ".iso") {
		odd = append(odd, "its path does not end in .iso")
	}
	if u.RawQuery != "" {
		odd = append(odd, "it has a query string")
	}
	if !isAddress(u.Hostname()) {
		odd = append(odd, u.Hostname()+" is a name that the BMC must resolve")
	}
	if len(odd) > 0 {
		return warn("", "%s: %s", p.shownImage(), strings.Join(odd, ", "))
	}
	return pass("%s: an address, and a path that ends in .iso", p.shownImage())
}

func askMediaProtocol(ctx context.Context, p *probe) finding {
	u, none := p.image()
	if u == nil {
		return none
	}
	var stated []string
	var silent error
	for _, s := range p.media.discs() {
		values, err := p.transferProtocols(ctx, s, silent == nil)
		if err != nil {
			silent = cmp.Or(silent, err)
			continue
		}
		if slices.ContainsFunc(values, func(v string) bool { return strings.EqualFold(v, u.Scheme) }) {
			return pass("%s takes TransferProtocolType %s", s.path, strings.ToUpper(u.Scheme))
		}
		stated = append(stated, values...)
	}
	switch {
	case len(stated) > 0:
	case silent != nil:
		return unknown("%s", reasonOf(silent))
	default:
		return unknown("no slot can be read")
	}
	return fail("", "TransferProtocolType takes %s, and %s is %s", listed(stated), p.shownImage(), u.Scheme)
}

// transferProtocols gives the stated values of a slot's TransferProtocolType: at the action, at the property, or, for the
// first slot alone (the others are like it), in the ActionInfo.
func (p *probe) transferProtocols(ctx context.Context, s slot, first bool) ([]string, error) {
	const values = "TransferProtocolType@Redfish.AllowableValues"
	if stated, err := s.texts("Actions", "#VirtualMedia.InsertMedia", values); err == nil && len(stated) > 0 {
		return stated, nil
	}
	stated, silent := s.texts(values)
	if silent == nil && len(stated) > 0 {
		return stated, nil
	}
	link, err := s.text("Actions", "#VirtualMedia.InsertMedia", "@Redfish.ActionInfo")
	if err != nil || !first {
		return nil, &PropertyError{Path: s.path, Property: values, Problem: "is missing"}
	}
	info, err := p.ifAffordable(ctx, link)
	if err != nil {
		return nil, err
	}
	stated, err = allowed(info, "TransferProtocolType")
	if err == nil && len(stated) == 0 {
		err = &PropertyError{Path: info.path, Property: "AllowableValues", Problem: "is empty"}
	}
	return stated, err
}

func askMediaCert(ctx context.Context, p *probe) finding {
	u, none := p.image()
	switch {
	case u == nil:
		return none
	case u.Scheme == "http":
		return skip("%s is plain http: there is no certificate", p.shownImage())
	}
	var why finding
	for _, s := range p.media.discs() {
		verifies, property, err := p.verifies(ctx, s)
		switch {
		case err != nil && why.status == "":
			why = unknown("%s", reasonOf(err))
			continue
		case err != nil:
			continue
		case verifies:
			return warn("", "%s: %s, and %s has its own CA as a rule", s.path, property, p.shownImage())
		}
		return pass("%s: %s", s.path, property)
	}
	if why.status == "" {
		return unknown("no slot can be read")
	}
	return why
}

// verifies says whether a slot checks the certificate of the server that it fetches from, by which property.
func (p *probe) verifies(ctx context.Context, s slot) (verifies bool, property string, err error) {
	verifies, err = s.flag("VerifyCertificate")
	if err == nil {
		return verifies, fmt.Sprintf("VerifyCertificate %t", verifies), nil
	}
	if accepts, err := s.flag("Oem", "Supermicro", "AcceptSelfSigned"); err == nil {
		return !accepts, fmt.Sprintf("AcceptSelfSigned %t", accepts), nil
	}
	if p.vendor(ctx) == dell {
		if ignores, err := p.dellAttribute(ctx, "RFS.1.IgnoreCertWarning"); err == nil && (ignores == "Yes" || ignores == "No") {
			return ignores == "No", "RFS.1.IgnoreCertWarning " + ignores, nil
		}
	}
	return false, "", err
}

func askBMCDNS(ctx context.Context, p *probe) finding {
	u, none := p.image()
	switch {
	case u == nil:
		return none
	case isAddress(u.Hostname()):
		return skip("%s has an address: nothing to resolve", p.shownImage())
	}
	servers, silent := p.nameServers(ctx)
	switch {
	case len(servers) > 0:
		return pass("NameServers %s", listed(servers))
	case silent != nil:
		return unknown("%s", reasonOf(silent))
	}
	return fail("", "the Manager's interfaces have no name server, and the BMC must resolve %s", u.Hostname())
}

// nameServers gives the name servers of the Manager's interfaces; the error says why the list may not be whole. BMCs fill
// empty places with 0.0.0.0, :: and (null).
func (p *probe) nameServers(ctx context.Context) (servers []string, silent error) {
	manager, err := p.readManager(ctx)
	if err != nil {
		return nil, err
	}
	link, err := manager.link("EthernetInterfaces")
	if err != nil {
		return nil, err
	}
	interfaces, links, err := p.members(ctx, link)
	if err != nil {
		return nil, err
	}
	for _, link := range links {
		r, err := p.item(ctx, link)
		if err != nil {
			silent = err
			continue
		}
		interfaces = append(interfaces, r)
	}
	if len(interfaces) == 0 && silent == nil {
		silent = &PropertyError{Path: link, Property: "Members", Problem: "is empty"}
	}
	for _, r := range interfaces {
		if _, err := r.at("Links", "HostInterface"); err == nil {
			continue // leads to the machine that the BMC sits in
		}
		found, err := r.texts("NameServers")
		if err != nil {
			silent = err
		}
		static, _ := r.texts("StaticNameServers")
		for _, s := range append(found, static...) {
			if ip, err := netip.ParseAddr(s); err == nil && !ip.IsUnspecified() && !slices.Contains(servers, s) {
				servers = append(servers, s)
			}
		}
	}
	return servers, silent
}
