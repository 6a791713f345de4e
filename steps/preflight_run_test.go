package steps

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/redfish/bmctest"
)

// take keeps the outcome of each step.
type outcomes map[string]*event.Result

func (o outcomes) Take(e event.Event) error {
	if e.Type == event.StepFinished {
		o[e.Step] = e.Result
	}
	return nil
}

// twoBMCs are of two machines, whose workers have these boot MACs.
func twoBMCs(t *testing.T, edits ...func(bmctest.Tree)) (bmcs []*bmctest.BMC, macs []string) {
	t.Helper()
	for i := range 2 {
		mac := fmt.Sprintf("52:54:00:12:34:6%d", i)
		tree := bmctest.Small().Set(bmctest.System, fmt.Sprintf("38947555-7742-3448-3784-82334782383%d", i), "UUID").
			Set(bmctest.NIC, mac, "MACAddress")
		for _, edit := range edits {
			edit(tree)
		}
		b, err := bmctest.New(bmctest.Config{Tree: tree, TLS: true, Sessions: true, Username: "admin", Password: "right"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.Close)
		bmcs, macs = append(bmcs, b), append(macs, mac)
	}
	return bmcs, macs
}

// TestPreflightGates runs a lab file whose steps are gated by what a pre-flight
// found, once with a worker that fails and once without.
func TestPreflightGates(t *testing.T) {
	t.Setenv("BMC_PASSWORD", "right")
	bmcs, macs := twoBMCs(t)
	text, err := os.ReadFile(filepath.Join("..", "labs", ipv4+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	facts, _, _ := strings.Cut(string(text), "\ninclude:")
	file := filepath.Join(t.TempDir(), "lab.yaml")
	const steps = `
phases: [look]
steps:
  - {id: probe_bmcs, phase: look, uses: redfish/preflight, with: {hosts: "${{ lab.workers }}", require: "${{ len(lab.workers) - 1 }}"}}
  - {id: all_usable, phase: look, when: "steps.probe_bmcs.outputs.failed == []", uses: assert, with: {that: "steps.probe_bmcs.outputs.usable == ['worker0', 'worker1']"}}
  - {id: some_failed, phase: look, when: "'worker1' in steps.probe_bmcs.outputs.failed", uses: assert, with: {that: "steps.probe_bmcs.outputs.usable == ['worker0']"}}
`
	if err := os.WriteFile(file, []byte(facts+steps), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, mac, ok, skipped string }{
		{"one fails", "52:54:00:00:00:98", "some_failed", "all_usable"},
		{"none fails", macs[1], "all_usable", "some_failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			set := []string{"lab.workers.worker0.boot_mac=" + macs[0], "lab.workers.worker1.boot_mac=" + c.mac}
			for i, b := range bmcs {
				set = append(set, fmt.Sprintf("lab.workers[%d].bmc.address=%s", i, b.Address(bmctest.System)))
			}
			p, wrong := pipeline.Load(pipeline.Request[*Env]{File: file, Set: set, Kinds: Builtin(), Schema: Schema(), Builtin: labs.Steps(), Environ: []string{}})
			if len(wrong) > 0 {
				t.Fatal(wrong)
			}
			l := NewLab(p.Facts.(*labs.Facts), LabOptions{})
			defer l.Close()
			got := outcomes{}
			summary, err := p.Run(t.Context(), pipeline.RunOptions[*Env]{Env: l.Env, Sinks: []event.Sink{got}})
			if err != nil || summary.Exit != 0 {
				t.Fatalf("exit %d, %v: %+v", summary.Exit, err, got["probe_bmcs"].Report)
			}
			if got[c.ok].Status != event.OK || got[c.skipped].Status != event.Skipped {
				t.Errorf("%s is %+v, %s is %+v", c.ok, got[c.ok], c.skipped, got[c.skipped])
			}
		})
	}
}

// TestPreflightTellsOnce has two workers of which the same is seen, and what an
// earlier pre-flight has told.
func TestPreflightTellsOnce(t *testing.T) {
	t.Setenv("RIGHT", "right")
	bmcs, macs := twoBMCs(t)
	hosts := workersAt("RIGHT", bmcs...)
	hosts[0].BootMAC, hosts[1].BootMAC = labs.MAC(macs[0]), "52:54:00:00:00:99"
	f := factsOf(t, ipv4)
	env, heard := anEnv(t, f, LabOptions{})
	first, err := Preflight{Hosts: hosts, Require: 1}.Run(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	if told := heard.warnings("worker0, worker1: tls"); len(told) != 1 {
		t.Errorf("that both certificates are signed by nobody known is told %d times", len(told))
	}
	equal(t, first.Failed, []string{"worker1"})
	if !slices.ContainsFunc(first.Warnings, func(w string) bool { return strings.HasPrefix(w, "worker0: ") }) {
		t.Fatalf("warnings %q", first.Warnings)
	}
	env, heard = anEnv(t, f, LabOptions{})
	second, err := Preflight{Hosts: hosts, Require: 1, Told: first.Warnings}.Run(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, second.Warnings, first.Warnings)
	if again := heard.warnings("worker0"); len(again) > 0 {
		t.Errorf("told again: %+v", again)
	}
	if why := heard.warnings("worker1: boot-mac"); len(why) != 1 {
		t.Errorf("why worker1 is left out is told %d times", len(why))
	}
}

// TestPreflightKeepsManaged has a worker that has its BareMetalHost, and whose BMC
// is ill: it stays usable, in the file's order.
func TestPreflightKeepsManaged(t *testing.T) {
	t.Setenv("RIGHT", "right")
	bmcs, macs := twoBMCs(t)
	hosts := workersAt("RIGHT", bmcs...)
	hosts[0].BootMAC, hosts[1].BootMAC = labs.MAC(macs[0]), labs.MAC(macs[1])
	bmcs[0].Break(bmctest.Fault{Path: bmctest.System, Status: 500})
	env, heard := anEnv(t, factsOf(t, ipv4), LabOptions{})
	out, err := Preflight{Hosts: hosts, Managed: []string{"worker0"}}.Run(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, out.Usable, []string{"worker0", "worker1"})
	equal(t, out.Failed, []string{})
	if len(heard.warnings("worker0: system")) != 1 {
		t.Errorf("that its BMC is ill is not told: %+v", heard.events)
	}
}

func TestNames(t *testing.T) {
	var workers []string
	for i := range 11 {
		workers = append(workers, fmt.Sprintf("w%d", i))
	}
	for n, want := range map[int]string{1: "w0", 8: "w0, w1, w2, w3, w4, w5, w6, w7", 11: "w0, w1, w2, w3, w4, w5, w6, w7 and 3 more"} {
		if got := names(workers[:n]); got != want {
			t.Errorf("%d workers are %q, want %q", n, got, want)
		}
	}
}

// TestPreflightOverrides has a lab take three checks otherwise, each with a reason.
func TestPreflightOverrides(t *testing.T) {
	t.Setenv("RIGHT", "right")
	bmcs, macs := twoBMCs(t)
	hosts := workersAt("RIGHT", bmcs[:1]...)
	hosts[0].BootMAC = labs.MAC(macs[1]) // which it has not
	set := func(id, severity, reason string) string {
		return "lab.preflight.checks." + id + "={severity: " + severity + ", reason: " + reason + "}"
	}
	f := factsOf(t, ipv4, set("tls", "ignore", "factory certificates"), set("boot-mac", "warn", "a new NIC"))
	env, heard := anEnv(t, f, LabOptions{})
	out, err := Preflight{Hosts: hosts}.Run(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, out.Usable, []string{"worker0"})
	if all := strings.Join(out.Warnings, "\n"); strings.Contains(all, "x509") || !strings.Contains(all, macs[1]) || !strings.Contains(all, "a new NIC") {
		t.Errorf("warnings %q", out.Warnings)
	}
	if len(heard.warnings("worker0: tls")) > 0 || len(heard.warnings("worker0: boot-mac")) != 1 {
		t.Error("the tls check is told, or boot-mac's is not")
	}

	hosts[0].BootMAC = labs.MAC(macs[0])
	env, _ = anEnv(t, factsOf(t, ipv4, set("tls", "fail", "we sign our own")), LabOptions{})
	_, err = Preflight{Hosts: hosts}.Run(t.Context(), env)
	wantError(t, err, "0 of 1 worker can be used, 1 needed", "worker0: tls: x509", "we sign our own")
}
