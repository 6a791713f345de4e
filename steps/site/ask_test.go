package site

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/redfish"
	"github.com/labrun/labrun/steps/kube"
)

// The list is complete: ids are taken once and by no BMC's check, what a check needs comes before it, and each is told in full.
func TestChecks(t *testing.T) {
	var seen []string
	for _, c := range redfish.Catalogue() {
		seen = append(seen, c.ID)
	}
	for _, c := range Checks() {
		if slices.Contains(seen, c.ID) || !slices.Contains(Areas(), c.Area) || slices.Contains(Areas(), c.ID) && c.ID != "registry" {
			t.Errorf("%s of %s: the id is taken, or the area unknown", c.ID, c.Area)
		}
		for _, need := range c.Needs {
			if !slices.Contains(seen, need) {
				t.Errorf("%s needs %s, which does not come before it", c.ID, need)
			}
		}
		for _, text := range []string{c.Asks, c.Rule, c.Why, c.Remedy} {
			if text == "" {
				t.Errorf("%s is not told in full: %+v", c.ID, c)
			}
		}
		seen = append(seen, c.ID)
	}
}

// What is asked only because others need it is told where it is the reason, and not else.
func TestAskOnly(t *testing.T) {
	s, server := aSite(t)
	ids := func(reports []Report) string {
		var all []string
		for _, r := range reports {
			for _, c := range r.Checks {
				all = append(all, c.ID+" "+string(c.Status))
			}
		}
		return strings.Join(all, ", ")
	}
	if got := ids(Ask(t.Context(), s, Options{Only: []string{"registry"}})); got != "name-registry fail, registry skip" {
		t.Errorf("%s", got)
	}
	_ = server
	s.Facts.Disconnected = false
	if got := ids(Ask(t.Context(), s, Options{Only: []string{"registry-login"}})); got != "registry-login skip" {
		t.Errorf("%s", got)
	}
}

// An override changes what a finding counts as, and its reason is repeated.
func TestOverrides(t *testing.T) {
	s, _ := aSite(t)
	reports := Ask(t.Context(), s, Options{Only: []string{"name-api", "name-api-int", "name-apps"}, Overrides: map[string]Override{
		"name-api": {redfish.Warn, "set later"}, "name-api-int": {redfish.Fail, "we need it"}, "name-apps": {redfish.Skip, "a proxy"}}})
	for i, w := range []struct {
		status redfish.Status
		seen   string
	}{{redfish.Warn, "(set later)"}, {redfish.Fail, "(we need it)"}, {redfish.Skip, "turned off: a proxy"}} {
		want(t, "override", reports[0].Checks[i], w.status, w.seen)
	}
	if reports[0].Status != redfish.Fail {
		t.Errorf("the area is %s", reports[0].Status)
	}
}

// A check that hangs ends with its time, and stops no other; who interrupts gets an answer at once.
func TestAskEnds(t *testing.T) {
	s, _ := aSite(t)
	f := *s.Facts
	ctx, cancel := context.WithCancel(t.Context())
	asked := make(chan struct{})
	s = Site{Facts: &f, Kubeconfig: t.TempDir(), Hub: func(ctx context.Context) (*kube.Cluster, error) {
		close(asked)
		<-ctx.Done()
		return nil, ctx.Err()
	}, Secret: func(context.Context, labs.SecretRef) (labs.Secret, error) { return labs.Secret{}, errors.New("none") }}
	go func() {
		<-asked
		cancel()
	}()
	var told []string
	reports := Ask(ctx, s, Options{Only: []string{"hub", "hub-crds"}, Progress: func(area string, r redfish.Result) { told = append(told, area+" "+r.ID) }})
	if len(reports) != 1 || reports[0].Checks[0].Seen != "interrupted" || reports[0].Checks[1].Status != redfish.Skip {
		t.Errorf("%+v", reports)
	}
	if slices.Sort(told); !slices.Equal(told, []string{"cluster hub", "cluster hub-crds"}) {
		t.Errorf("told %q", told)
	}
}
