package redfish

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Privileges of an iDRAC user, as bits of Users.N.Privilege.
const (
	idracConfigure = 1 << 1
	idracPower     = 1 << 4
	idracMedia     = 1 << 6
)

const privilegeRemedy = "give the user the role Administrator"

// askPrivilege looks for the user's role where it costs least: in the session, in an iDRAC's settings, among the accounts.
func askPrivilege(ctx context.Context, p *probe) finding {
	if roles := p.service.conn.login.roles; len(roles) > 0 {
		return p.judgeRole(ctx, roles[0], "")
	}
	if p.vendor(ctx) == dell {
		if f, ok := p.idracPrivilege(ctx); ok {
			return f
		}
	}
	account, err := p.account(ctx)
	if err != nil {
		return unprivileged(err)
	}
	role, err := account.text("RoleId")
	if err != nil {
		return unprivileged(err)
	}
	link, _ := account.link("Links", "Role")
	return p.judgeRole(ctx, role, link)
}

func unprivileged(err error) finding {
	return warn(privilegeRemedy+", if it has not got it", "which role the user has is not known: %s", reasonOf(err))
}

// idracPrivilege finds the user in an iDRAC's settings.
func (p *probe) idracPrivilege(ctx context.Context) (finding, bool) {
	attributes, err := p.dellAttributes(ctx)
	if err != nil {
		return finding{}, false
	}
	for n := 1; n <= 16; n++ {
		prefix := fmt.Sprintf("Users.%d.", n)
		if name, err := attributes.text("Attributes", prefix+"UserName"); err != nil || name != p.host.Credentials.Username {
			continue
		}
		bits, err := attributes.number("Attributes", prefix+"Privilege")
		if err != nil {
			return unprivileged(err), true
		}
		var lacks []string
		for bit, name := range map[int]string{idracConfigure: "Configure", idracPower: "System Control", idracMedia: "Virtual Media"} {
			if int(bits)&bit == 0 {
				lacks = append(lacks, name)
			}
		}
		slices.Sort(lacks)
		if len(lacks) > 0 {
			return fail(privilegeRemedy, "%sPrivilege %d lacks %s", prefix, int(bits), strings.Join(lacks, " and ")), true
		}
		return pass("%sPrivilege %d", prefix, int(bits)), true
	}
	return finding{}, false
}

// account finds the user's own account without reading those of others: where the BMC gives all in one answer, where its
// path ends in the user's name, or where there is only one. Its path is cut off: it may hold the name.
func (p *probe) account(ctx context.Context) (*resource, error) {
	link, err := p.service.root.link("AccountService")
	if err != nil {
		return nil, err
	}
	link = strings.TrimSuffix(link, "/") + "/Accounts"
	whole, links, err := p.members(ctx, link)
	if err != nil {
		return nil, err
	}
	mine := func(r *resource) bool {
		name, err := r.text("UserName")
		return err == nil && name == p.host.Credentials.Username
	}
	if i := slices.IndexFunc(whole, mine); i >= 0 {
		return &resource{path: link + "/…", body: whole[i].body}, nil
	}
	i := slices.IndexFunc(links, func(link string) bool { return lastOf(link) == p.host.Credentials.Username })
	if len(links) == 1 {
		i = 0
	}
	if i < 0 {
		return nil, fmt.Errorf("%s does not say which account is this user's", link)
	}
	r, err := p.ifAffordable(ctx, links[i])
	switch status := statusOf(err); {
	case status != 0:
		return nil, fmt.Errorf("GET %s/…: HTTP %d", link, status)
	case err != nil:
		return nil, err
	case !mine(r):
		return nil, errors.New("the only account is not this user's")
	}
	return &resource{path: link + "/…", body: r.body}, nil
}

// judgeRole looks at the privileges of a role. Administrator and ReadOnly are the same everywhere, by the standard; an
// Operator has ConfigureManager nowhere, but some vendors give virtual media by a privilege of their own.
func (p *probe) judgeRole(ctx context.Context, role, link string) finding {
	switch role {
	case "Administrator":
		return pass("role Administrator")
	case "ReadOnly", "NoAccess", "None":
		return fail(privilegeRemedy, "role %s, which may only read", role)
	}
	if link == "" {
		accounts, err := p.service.root.link("AccountService")
		if err != nil {
			return unprivileged(err)
		}
		link = strings.TrimSuffix(accounts, "/") + "/Roles/" + role
	}
	r, err := p.ifAffordable(ctx, link)
	if err != nil {
		return unprivileged(err)
	}
	assigned, err := r.texts("AssignedPrivileges")
	if err != nil {
		return unprivileged(err)
	}
	own, _ := r.texts("OemPrivileges")
	var lacks []string
	if !contains(assigned, "ConfigureComponents") {
		lacks = append(lacks, "ConfigureComponents (boot)")
	}
	if !contains(assigned, "ConfigureManager") && !slices.ContainsFunc(own, func(s string) bool { return strings.Contains(s, "VirtualMedia") }) {
		lacks = append(lacks, "ConfigureManager (virtual media)")
	}
	if len(lacks) > 0 {
		return fail(privilegeRemedy, "role %s lacks %s: AssignedPrivileges %s", printable(role), strings.Join(lacks, " and "), listed(assigned))
	}
	return pass("role %s: AssignedPrivileges %s", printable(role), listed(append(assigned, own...)))
}
