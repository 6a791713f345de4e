package redfish

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/stmcginnis/gofish/schemas"
)

func askSystem(ctx context.Context, p *probe) finding {
	path := p.address.System
	if path == "" {
		members, err := p.systems(ctx)
		switch {
		case err != nil:
			return fail("put the system's path into the address", "the address names no system, and the systems cannot be listed: %s", reasonOf(err))
		case len(members) != 1:
			return fail("put one of them into the address", "the address names no system, and there are %d: %s", len(members), listed(members))
		}
		path = members[0]
	}
	system, err := p.service.conn.get(ctx, path)
	if err != nil {
		return fail(p.candidates(ctx, err), "%s", reasonOf(err))
	}
	is, err := system.isA("ComputerSystem")
	if err == nil && !is {
		t, _ := system.text("@odata.type")
		return fail(p.candidates(ctx, nil), "%s is a %s, not a ComputerSystem", path, printable(t))
	}
	p.system = system
	if err != nil {
		return unknown("%s", reasonOf(err))
	}
	if p.address.System == "" {
		whole := p.address
		whole.System = path
		return warn("write "+whole.String(), "%s%s, the only one; the address does not name it, and Metal3 before 0.11 (OpenShift 4.19) cannot register a host by such an address", path, named(system))
	}
	return pass("%s%s", path, named(system))
}

// named is the vendor and model of a system, where stated.
func named(system *resource) string {
	words := strings.TrimSpace(orEmpty(system.text("Manufacturer")) + " " + orEmpty(system.text("Model")))
	if words == "" {
		return ""
	}
	return ", " + words
}

// systems lists the paths of the BMC's systems.
func (p *probe) systems(ctx context.Context) ([]string, error) {
	link, err := p.service.root.link("Systems")
	if err != nil {
		return nil, err
	}
	collection, err := p.service.conn.get(ctx, link)
	if err != nil {
		return nil, err
	}
	return collection.links("Members")
}

// candidates is the remedy for a path that is no system: those that are. After an error that is no answer about the path,
// nothing more is asked.
func (p *probe) candidates(ctx context.Context, err error) string {
	if status := statusOf(err); err != nil && status != http.StatusNotFound && status != http.StatusBadRequest {
		return "see what the BMC says; it did not answer for its own system"
	}
	members, err := p.systems(ctx)
	if err != nil || len(members) == 0 {
		return ""
	}
	return "this BMC has " + listed(members)
}

func listed(items []string) string {
	const most = 8
	if len(items) == 0 {
		return "none"
	}
	if len(items) > most {
		return printable(strings.Join(items[:most], ", ")) + fmt.Sprintf(" and %d more", len(items)-most)
	}
	return printable(strings.Join(items, ", "))
}

func askPower(_ context.Context, p *probe) finding {
	state, err := p.system.text("PowerState")
	var property *PropertyError
	switch {
	case errors.As(err, &property) && property.Null:
		return fail("", "PowerState is null")
	case err != nil:
		return unknown("%s", reasonOf(err))
	}
	switch schemas.PowerState(state) {
	case schemas.OffPowerState:
		return pass("PowerState Off")
	case schemas.OnPowerState:
		if p.host.Managed {
			return pass("PowerState On, as its BareMetalHost wants it")
		}
		return warn("nothing, if nobody uses it: it will be power-cycled", "PowerState On")
	case schemas.PoweringOnPowerState, schemas.PoweringOffPowerState, schemas.PausedPowerState:
		return warn("wait until it is On or Off", "PowerState %s", state)
	}
	return unknown("PowerState %q, which the standard does not know", printable(state))
}

func askHealth(_ context.Context, p *probe) finding {
	health, healthErr := p.system.text("Status", "Health")
	state, stateErr := p.system.text("Status", "State")
	var seen []string
	bad := false
	if healthErr == nil {
		seen = append(seen, "Health "+printable(health))
		bad = health != string(schemas.OKHealth)
	}
	if stateErr == nil {
		seen = append(seen, "State "+printable(state))
		bad = bad || !contains([]string{"Enabled", "StandbyOffline", "Starting", "InTest"}, state)
	}
	switch {
	case bad:
		return warn("look into the BMC's event log", "%s", strings.Join(seen, ", "))
	case healthErr != nil:
		return unknown("%s", reasonOf(healthErr))
	}
	return pass("%s", strings.Join(seen, ", "))
}

func askReset(ctx context.Context, p *probe) finding {
	if _, err := p.system.text("Actions", "#ComputerSystem.Reset", "target"); err != nil {
		if _, stated := p.system.at("Actions"); stated != nil {
			return unknown("%s", reasonOf(stated))
		}
		return fail("", "%s", reasonOf(err))
	}
	types, err := p.resetTypes(ctx)
	if err != nil {
		return unknown("the reset types are not stated: %s", reasonOf(err))
	}
	var missing []string
	for _, want := range []schemas.ResetType{schemas.OnResetType, schemas.ForceOffResetType} {
		if !contains(types, string(want)) {
			missing = append(missing, string(want))
		}
	}
	if len(missing) > 0 {
		return fail("", "ResetType lacks %s: it takes %s", strings.Join(missing, " and "), listed(types))
	}
	return pass("ResetType takes On and ForceOff")
}

// resetTypes gives the stated values of ResetType: inline, else from the ActionInfo.
func (p *probe) resetTypes(ctx context.Context) ([]string, error) {
	types, err := p.system.stated("Actions", "#ComputerSystem.Reset", "ResetType@Redfish.AllowableValues")
	if err == nil {
		return types, nil
	}
	link, linkErr := p.system.text("Actions", "#ComputerSystem.Reset", "@Redfish.ActionInfo")
	if linkErr != nil {
		return nil, err
	}
	info, err := p.service.conn.get(ctx, link)
	if err != nil {
		return nil, err
	}
	return allowed(info, "ResetType")
}

// allowed gives the stated values of one parameter in an ActionInfo.
func allowed(info *resource, parameter string) ([]string, error) {
	value, err := info.at("Parameters")
	if err != nil {
		return nil, err
	}
	list, _ := value.([]any)
	for _, item := range list {
		object, _ := item.(map[string]any)
		if object["Name"] == parameter {
			return (&resource{path: info.path, body: object}).stated("AllowableValues")
		}
	}
	return nil, &PropertyError{Path: info.path, Property: "Parameters." + parameter, Problem: "is missing"}
}
