package sim

import (
	"slices"
	"strings"
	"testing"
)

// TestFailuresAreTold: each failure has a name of its own, and says in one line what it does.
func TestFailuresAreTold(t *testing.T) {
	var names []string
	for _, f := range Failures() {
		if slices.Contains(names, f.Name) {
			t.Errorf("there are two failures %s", f.Name)
		}
		names = append(names, f.Name)
		if f.Does == "" || strings.Contains(f.Does, "\n") {
			t.Errorf("failure %s does %q", f.Name, f.Does)
		}
	}
	o := &Options{Fail: names}
	if err := o.known(); err != nil {
		t.Error(err)
	}
	if on := o.faults(); len(on) != len(names) || !on.On("etcd-volume-pending") {
		t.Errorf("on are %v", on)
	}
}
