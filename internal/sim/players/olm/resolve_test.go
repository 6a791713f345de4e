package olm

import (
	"testing"

	"github.com/labrun/labrun/internal/sim/players/obj"
)

func TestResolve(t *testing.T) {
	good := subscriptionSpec{Channel: "stable-2.10", Package: "multicluster-engine", Source: "redhat-operators", SourceNamespace: "openshift-marketplace"}
	with := func(change func(*subscriptionSpec)) subscriptionSpec { s := good; change(&s); return s }
	for _, test := range []struct {
		trap            string
		spec            subscriptionSpec
		state           catalogState
		csv             string
		reason, message string
	}{
		{"none", good, catalogReady, "multicluster-engine.v2.10.1", "", ""},
		{"no channel named", with(func(s *subscriptionSpec) { s.Channel = "" }), catalogReady, "multicluster-engine.v2.10.1", "", ""},
		{"unknown channel", with(func(s *subscriptionSpec) { s.Channel = "stable-2.99" }), catalogReady, "", "ConstraintsNotSatisfiable",
			"constraints not satisfiable: no operators found in channel stable-2.99 of package multicluster-engine in the catalog referenced by subscription mce, subscription mce exists"},
		{"unknown package", with(func(s *subscriptionSpec) { s.Package = "multicluster-motor" }), catalogReady, "", "ConstraintsNotSatisfiable",
			"constraints not satisfiable: no operators found in package multicluster-motor in the catalog referenced by subscription mce, subscription mce exists"},
		{"unknown startingCSV", with(func(s *subscriptionSpec) { s.StartingCSV = "multicluster-engine.v2.10.9" }), catalogReady, "", "ConstraintsNotSatisfiable",
			"constraints not satisfiable: no operators found with name multicluster-engine.v2.10.9 in channel stable-2.10 of package multicluster-engine in the catalog referenced by subscription mce, subscription mce exists"},
		{"no CatalogSource", good, catalogMissing, "", "ConstraintsNotSatisfiable",
			"constraints not satisfiable: no operators found from catalog redhat-operators in namespace openshift-marketplace referenced by subscription mce, subscription mce exists"},
		{"CatalogSource cannot be pulled", good, catalogFailing, "", "ErrorPreventedResolution",
			`failed to populate resolver cache from source redhat-operators/openshift-marketplace: failed to list bundles: rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp: lookup redhat-operators.openshift-marketplace.svc: no such host"`},
	} {
		t.Run(test.trap, func(t *testing.T) {
			csv, failed := resolve("mce", test.spec, test.state)
			var got obj.Condition
			if failed != nil {
				got = *failed
			}
			if csv != test.csv || got.Reason != test.reason || got.Message != test.message {
				t.Errorf("resolved %q and %+v, want %q, %s %s", csv, got, test.csv, test.reason, test.message)
			}
		})
	}
}

func TestPullable(t *testing.T) {
	for _, test := range []struct {
		trap, image  string
		disconnected bool
		want         bool
	}{
		{"none", "registry.redhat.io/redhat/redhat-operator-index:v4.20", false, true},
		{"public index on a disconnected hub", "registry.redhat.io/redhat/redhat-operator-index:v4.20", true, false},
		{"mirrored index", "registry.hypershiftbm.lab:5000/redhat/redhat-operator-index:v4.20", true, true},
	} {
		if got := pullable(test.image, test.disconnected); got != test.want {
			t.Errorf("%s: pullable is %v, want %v", test.trap, got, test.want)
		}
	}
}

func TestOperatorGroups(t *testing.T) {
	for count, want := range []struct{ plan, csv string }{
		{"no operator group found that is managing this namespace", "NoOperatorGroup"},
		{"", ""},
		{"more than one operator group(s) are managing this namespace count=2", "TooManyOperatorGroups"},
	} {
		got := ""
		if s := judgeMembership(count); s != nil {
			got = s.reason
		}
		if judgeGroups(count) != want.plan || got != want.csv {
			t.Errorf("%d groups: %q and %q, want %q and %q", count, judgeGroups(count), got, want.plan, want.csv)
		}
	}
}
