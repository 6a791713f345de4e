package steps

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/redfish/bmctest"
)

// workersAt are workers whose BMCs are these, with the user admin.
func workersAt(password string, bmcs ...*bmctest.BMC) []labs.Worker {
	var all []labs.Worker
	for i, b := range bmcs {
		all = append(all, labs.Worker{
			Name: []string{"worker0", "worker1"}[i], BootMAC: bmctest.MAC, BootMode: "UEFI",
			BMC: labs.BMC{Address: b.Address(bmctest.System), DisableCertificateVerification: true,
				Credentials: labs.BMCCredentials{Username: "admin", Password: labs.SecretRef{Env: password}}},
		})
	}
	return all
}

func aBMC(t *testing.T) *bmctest.BMC {
	t.Helper()
	b, err := bmctest.New(bmctest.Config{TLS: true, Sessions: true, Username: "admin", Password: "right"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func TestPreflight(t *testing.T) {
	t.Setenv("RIGHT", "right\n")
	t.Setenv("WRONG", "wrong-password")
	f := factsOf(t, ipv4)
	good, bad := aBMC(t), aBMC(t)

	env, _ := anEnv(t, f, LabOptions{})
	out, err := Preflight{Hosts: workersAt("RIGHT", good)}.Run(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, out.Usable, []string{"worker0"})
	equal(t, out.Failed, []string{})
	if open, ever := good.Sessions(); open != 0 || ever == 0 {
		t.Errorf("%d sessions are open of %d", open, ever)
	}
	if got := env.Requests()["redfish"]; got != len(good.Requests()) {
		t.Errorf("%d requests are counted, the BMC saw %d", got, len(good.Requests()))
	}

	hosts := workersAt("RIGHT", good, bad)
	hosts[1].BootMAC = "52:54:00:00:00:99"
	hosts[1].BMC.Credentials.Password = labs.SecretRef{Env: "WRONG"}
	env, heard := anEnv(t, f, LabOptions{})
	out, err = Preflight{Hosts: hosts}.Run(t.Context(), env)
	wantError(t, err, "1 of 2 workers can be used, 2 needed", "worker1: auth: ", "next: labrun preflight LAB --host worker1")
	var failed PreflightFailed
	if !errors.As(err, &failed) || failed.ExitCode() != 3 {
		t.Errorf("the error is no pre-flight's: %v", err)
	}
	equal(t, out.Failed, []string{"worker1"})
	if twice := heard.warnings("worker1 auth"); len(twice) > 0 {
		t.Errorf("the failure is told as a warning too: %+v", twice)
	}
	if bad.Refused() != 1 {
		t.Errorf("a wrong password was tried %d times", bad.Refused())
	}

	for name, s := range map[string]Preflight{"one is enough": {Hosts: hosts, Require: 1}, "it has its host": {Hosts: hosts, Managed: []string{"worker1"}}} {
		env, heard := anEnv(t, f, LabOptions{})
		out, err := s.Run(t.Context(), env)
		if err != nil || len(out.Usable) != 2-s.Require {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
		auth := heard.warnings("worker1 auth")
		if len(auth) != 1 || len(auth[0].Lines) != 1 || auth[0].Next == "" {
			t.Fatalf("%s: warned of the password in %+v", name, auth)
		}
		if kept := slices.Contains(out.Warnings, "worker1: "+auth[0].Lines[0].Text); kept != (s.Require == 0) {
			t.Errorf("%s: warnings %q", name, out.Warnings)
		}
	}
	hosts[1].BMC.Credentials.Password = labs.SecretRef{Env: "LABRUN_TEST_UNSET"}
	_, err = Preflight{Hosts: hosts}.Run(t.Context(), env)
	wantError(t, err, "BMC of worker1", "export LABRUN_TEST_UNSET")
}

// TestPreflightLogsInOnce has two workers behind one BMC, as an emulator serves them.
func TestPreflightLogsInOnce(t *testing.T) {
	t.Setenv("RIGHT", "right")
	shared := aBMC(t)
	env, _ := anEnv(t, factsOf(t, ipv4), LabOptions{})
	if _, err := (Preflight{Hosts: workersAt("RIGHT", shared, shared)}).Run(t.Context(), env); err == nil {
		t.Error("two workers of one system pass")
	}
	logins := 0
	for _, r := range shared.Requests() {
		if r.Method == http.MethodPost && r.Path == bmctest.Sessions {
			logins++
		}
	}
	if open, _ := shared.Sessions(); logins != 1 || open != 0 {
		t.Errorf("logged in %d times, %d sessions are open", logins, open)
	}
}

// TestPreflightTimesOut has one BMC that answers nothing until the step's time is up.
func TestPreflightTimesOut(t *testing.T) {
	t.Setenv("RIGHT", "right")
	t.Setenv("WRONG", "wrong-password")
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close() //nolint:errcheck // nothing was written
	hosts := workersAt("WRONG", aBMC(t), aBMC(t))
	hosts[1].BMC.Address = "redfish-virtualmedia+http://" + silent.Addr().String() + bmctest.System
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	env := NewLab(factsOf(t, ipv4), LabOptions{}).Env(pipeline.NewScope("lab", "phase", "step", "", func(e event.Event) error {
		if e.Type == event.StepProgress && strings.HasPrefix(e.Report.Title, "1 of 2") {
			cancel()
		}
		return nil
	}))
	if _, err := (Preflight{Hosts: hosts}).Run(ctx, env); !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
	seen := tell(env.Scope().LastSeen())
	for _, part := range []string{"1 of 2 BMCs asked", "still asked: worker1\n", "worker0: auth: ", "next: labrun preflight LAB --host worker1\n"} {
		if !strings.Contains(seen, part) {
			t.Errorf("%q is not said in %s", part, seen)
		}
	}
}

func TestPreflightSummary(t *testing.T) {
	for want, out := range map[string]PreflightOutputs{
		"2 of 2 workers": {Usable: []string{"a", "b"}},
		"0 of 1 worker, 1 warning (a: powered on)":     {Failed: []string{"a"}, Warnings: []string{"a: powered on"}},
		"1 of 1 worker, 2 warnings (a: powered on, …)": {Usable: []string{"a"}, Warnings: []string{"a: powered on", "b"}},
	} {
		if got := out.Summary(); got != want {
			t.Errorf("summary %q, want %q", got, want)
		}
	}
	for stack, want := range map[labs.Stack]string{labs.IPv4: "ip4", labs.IPv6: "ip6", labs.Dual: "ip"} {
		if got := lookupNetwork(stack); got != want {
			t.Errorf("%s asks for %s, want %s", stack, got, want)
		}
	}
}
