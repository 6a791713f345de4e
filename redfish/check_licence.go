package redfish

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"time"
)

// mediaLicences matches the names of licences that come with virtual media over Redfish: iLO Advanced, iDRAC Enterprise and
// Datacenter, XClarity Controller Enterprise and Premier, Supermicro's out-of-band and datacenter suites.
var mediaLicences = regexp.MustCompile(`(?i)\bilo[ _]advanced\b|\bidrac\d*.*(enterprise|datacenter)|(xcc|xclarity controller).*(enterprise|premier)|\bsft-(oob|dcms)|virtual[ _]?media`)

// askLicence asks where the vendor keeps its licences, else the standard's licence service.
func askLicence(ctx context.Context, p *probe) finding {
	manager, err := p.readManager(ctx)
	if err != nil {
		manager = &resource{}
	}
	if link, err := manager.link("Oem", "Hpe", "Links", "LicenseService"); err == nil {
		f := p.hpeLicence(ctx, link)
		if name, err := manager.text("Oem", "Hpe", "License", "LicenseString"); err == nil && f.status == Warn && mediaLicences.MatchString(name) {
			return pass("LicenseString %s", printable(name))
		}
		return f
	}
	if link, err := manager.link("Oem", "Supermicro", "LicenseManager"); err == nil {
		return p.supermicroLicence(ctx, link)
	}
	link, err := p.service.root.link("LicenseService")
	if err != nil {
		return unlicensed(err)
	}
	return p.standardLicence(ctx, link)
}

// unlicensed is for what the BMC does not say; media that is there and has its action is licensed as a rule.
func unlicensed(err error) finding {
	return warn("nothing, if virtual media works on machines like this one", "whether virtual media is licensed is not known: %s", reasonOf(err))
}

// hpeLicence looks at the feature VM of an iLO's only licence.
func (p *probe) hpeLicence(ctx context.Context, link string) finding {
	whole, links, err := p.members(ctx, link)
	if err == nil && len(whole) == 0 && len(links) == 0 {
		err = &PropertyError{Path: link, Property: "Members", Problem: "is empty"}
	}
	if err != nil {
		return unlicensed(err)
	}
	if len(whole) == 0 {
		licence, err := p.ifAffordable(ctx, links[0])
		if err != nil {
			return unlicensed(err)
		}
		whole = append(whole, licence)
	}
	able, err := whole[0].flag("LicenseFeatures", "VM")
	switch {
	case err != nil:
		return unlicensed(err)
	case !able:
		return fail("install an iLO Advanced licence", "%s: LicenseFeatures.VM false", printable(whole[0].path))
	}
	return pass("%s: LicenseFeatures.VM true", printable(whole[0].path))
}

// supermicroLicence looks for one of the licences that open virtual media. Each is JSON within text.
func (p *probe) supermicroLicence(ctx context.Context, link string) finding {
	r, err := p.ifAffordable(ctx, strings.TrimSuffix(link, "/")+"/QueryLicense")
	if err != nil {
		return unlicensed(err)
	}
	encoded, err := r.texts("Licenses")
	if err != nil {
		return unlicensed(err)
	}
	var names []string
	for _, text := range encoded {
		var licence struct {
			ProductKey struct {
				Node struct{ LicenseName string }
			}
		}
		if err := json.Unmarshal([]byte(text), &licence); err != nil || licence.ProductKey.Node.LicenseName == "" {
			return unlicensed(&PropertyError{Path: r.path, Property: "Licenses", Problem: "holds a licence without a name"})
		}
		names = append(names, licence.ProductKey.Node.LicenseName)
	}
	for _, name := range names {
		if mediaLicences.MatchString(name) {
			return pass("%s", printable(name))
		}
	}
	if len(names) > 0 {
		return unlicensed(&PropertyError{Path: r.path, Property: "Licenses", Problem: "holds " + listed(names)})
	}
	return fail("install SFT-OOB-LIC or SFT-DCMS-SINGLE", "%s: Licenses is empty", printable(r.path))
}

// standardLicence looks for a licence whose name is known to hold virtual media. The standard has no list of features.
func (p *probe) standardLicence(ctx context.Context, link string) finding {
	whole, links, err := p.members(ctx, strings.TrimSuffix(link, "/")+"/Licenses")
	if err != nil {
		return unlicensed(err)
	}
	var ended finding
	var names []string
	for _, licence := range whole {
		name := orEmpty(licence.text("Name"))
		names = append(names, name)
		if !mediaLicences.MatchString(name) && !mediaLicences.MatchString(lastOf(licence.path)) {
			continue
		}
		if bad := p.lapsed(licence); bad != "" {
			ended = fail("renew or enable it", "%s: %s", name, bad)
			continue
		}
		return pass("%s", name)
	}
	for _, link := range links {
		names = append(names, lastOf(link))
		if mediaLicences.MatchString(lastOf(link)) {
			return pass("%s", printable(link))
		}
	}
	if ended.status != "" {
		return ended
	}
	return unlicensed(&PropertyError{Path: link, Property: "Licenses", Problem: "holds " + listed(names)})
}

// lapsed says why a licence does not count any more.
func (p *probe) lapsed(licence *resource) string {
	if state, err := licence.text("Status", "State"); err == nil && state != "Enabled" {
		return "Status.State " + printable(state)
	}
	if text, err := licence.text("ExpirationDate"); err == nil {
		if until, err := time.Parse(time.RFC3339, text); err == nil && until.Before(p.run.opts.Now()) {
			return "ExpirationDate " + printable(text)
		}
	}
	return ""
}

func lastOf(path string) string {
	path = strings.TrimSuffix(path, "/")
	return path[strings.LastIndex(path, "/")+1:]
}
