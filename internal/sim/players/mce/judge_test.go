package mce

import (
	"slices"
	"strings"
	"testing"

	"github.com/labrun/labrun/internal/sim/players/obj"
	"github.com/labrun/labrun/internal/sim/world"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestJudgeSpec(t *testing.T) {
	with := func(components ...component) (s engineSpec) { s.Overrides.Components = components; return s }
	for _, test := range []struct {
		trap string
		spec engineSpec
		want string
	}{
		{"none", with(component{"hypershift", true}, component{"assisted-service", true}), ""},
		{"unknown component", with(component{"hypershit", true}), "invalid component config: hypershit is not a known component"},
		{"unknown component, off", with(component{"nope", false}), "invalid component config: nope is not a known component"},
		{"availability", engineSpec{Availability: "Highest"}, "invalid AvailabilityConfig"},
		{"Cluster API beside HyperShift", with(component{"cluster-api", true}), "component exclusivity violation: HyperShift components"},
	} {
		t.Run(test.trap, func(t *testing.T) {
			got := ""
			if err := judgeSpec(test.spec); err != nil {
				got = err.Error()
			}
			if !strings.HasPrefix(got, test.want) || (got == "") != (test.want == "") {
				t.Errorf("judged %q, want %q", got, test.want)
			}
		})
	}
}

func TestJudgeOnlyOne(t *testing.T) {
	other := obj.New(obj.MCE, "MultiClusterEngine", "", "first")
	err := judgeOnlyOne(engineSpec{}, []unstructured.Unstructured{*other})
	if want := "invalid TargetNamespace: MultiClusterEngine with targetNamespace already exists: 'first'"; err == nil || err.Error() != want {
		t.Errorf("judged %v, want %s", err, want)
	}
	err = judgeOnlyOne(engineSpec{TargetNamespace: "elsewhere"}, []unstructured.Unstructured{*other})
	if want := "invalid DeploymentMode: MultiClusterEngine in Standalone mode already exists: `first`."; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("judged %v, want %s", err, want)
	}
	if err := judgeOnlyOne(engineSpec{}, nil); err != nil {
		t.Errorf("the only one is judged %v", err)
	}
}

func TestJudgeChange(t *testing.T) {
	err := judgeChange(engineSpec{TargetNamespace: "a"}, engineSpec{TargetNamespace: "b"})
	if want := "invalid TargetNamespace: changes cannot be made to target namespace"; err == nil || err.Error() != want {
		t.Errorf("judged %v, want %s", err, want)
	}
}

func TestOperatorArgs(t *testing.T) {
	if !slices.Contains(operatorArgs("", ""), telemetryFlag) {
		t.Error("the add-on's own flags lack the telemetry flag")
	}
	got := operatorArgs("--limit-crd-install=Agent", telemetryFlag)
	if slices.Contains(got, telemetryFlag) || !slices.Contains(got, "--limit-crd-install=Agent") {
		t.Errorf("flags are %v, want one removed and one added", got)
	}
}

func TestSupported(t *testing.T) {
	if got, want := supported("2.7.6"), `{"versions":["4.17","4.16","4.15","4.14"]}`; got != want {
		t.Errorf("2.7.6 supports %s, want %s", got, want)
	}
}

// The failure that --fail mce-component-refused asks for.
func TestHyperShiftIsRefused(t *testing.T) {
	e := &engine{world: &world.World{Faults: world.Faults{"mce-component-refused": true}}}
	var named engineSpec
	named.Overrides.Components = []component{{"hypershift", true}}
	if err := e.judge(named); err == nil || err.Error() != "invalid component config: hypershift is not a known component" {
		t.Errorf("judged %v", err)
	}
	if err := e.judge(engineSpec{}); err != nil {
		t.Errorf("a MultiClusterEngine that does not name it is judged %v", err)
	}
}
