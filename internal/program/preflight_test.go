package program

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/jstemmer/go-junit-report/v2/junit"

	"github.com/labrun/labrun/internal/cli"
	"github.com/labrun/labrun/redfish/bmctest"
)

// twoWorkers starts the BMCs of two workers, of which the second refuses the
// password, and gives the values that lead to them.
func twoWorkers(t *testing.T) string {
	t.Helper()
	t.Setenv("BMC_PASSWORD", "right-tern-7")
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	var values strings.Builder
	secret := filepath.Join(t.TempDir(), "pull-secret.json")
	if err := os.WriteFile(secret, []byte(`{"auths": {"quay.io": {"auth": "bGFiOnF1aWxsLTdmM2EtZmVycnk="}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&values, "lab:\n  pull_secret: {file: %q}\n  workers:\n", secret)
	for n, password := range []string{"right-tern-7", "other"} {
		b, err := bmctest.New(bmctest.Config{TLS: true, Sessions: true, Username: "admin", Password: password})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.Close)
		fmt.Fprintf(&values, "  - {name: worker%d, boot_mac: %q, bmc: {address: %q, disable_certificate_verification: true, credentials: {username: admin, password: {env: BMC_PASSWORD}}}}\n",
			n, fmt.Sprintf("%s%d", bmctest.MAC[:len(bmctest.MAC)-1], 6+n), b.Address(bmctest.System))
	}
	file := filepath.Join(t.TempDir(), "values.yaml")
	if err := os.WriteFile(file, []byte(values.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// asks runs labrun preflight on a connected IPv4 lab.
func asks(t *testing.T, values string, args ...string) (out, errs string, code int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	args = append([]string{"preflight", "../../labs/ipv4-connected.yaml", "--values", values, "--kubeconfig", filepath.Join(t.TempDir(), "none")}, args...)
	code = Main(t.Context(), args, cli.Streams{Out: &stdout, Err: &stderr})
	return stdout.String(), stderr.String(), code
}

// TestPreflight asks the BMCs of both workers, of which one refuses the password.
func TestPreflight(t *testing.T) {
	file := twoWorkers(t)
	for _, c := range []struct {
		args []string
		code int
		says []string
		not  string
	}{
		{[]string{"--check", "bmc"}, 3, []string{"✗ worker1  redfish", "fail      auth: ", "do  ", "1 of 2 workers can be used · 1 failure · ", "✗ worker1: auth: ", "  do: "}, "power"},
		{[]string{"--check", "bmc", "-v"}, 3, []string{"pass      power: PowerState Off"}, ""},
		{[]string{"--host", "worker1"}, 3, []string{"0 of 1 worker can be used · 1 failure · "}, "worker0"},
		{[]string{"--host", "worker0"}, 0, []string{"! worker0", "warn      tls: ", "1 of 1 worker can be used · 1 warning · "}, "worker1"},
		{[]string{"--check", "reset", "--host", "worker0", "-v"}, 0, []string{"pass      reset: "}, "power"},
		{[]string{"--check", "reset", "--host", "worker1"}, 3, []string{"fail      auth: "}, "power"}, // the reason for which it was not asked
		{[]string{"--check", "bmc/tcp,registry,hub"}, 0, []string{"– registry", "? cluster", "unknown   hub: there is no kubeconfig ", "do        build the management cluster"}, "auth"},
		{[]string{"--host", "w9"}, 2, []string{`the lab has no worker "w9"`}, ""},
		{[]string{"--check", "bmc,regstry"}, 2, []string{`no check of the pre-flight is called "regstry"`, `did you mean "registry"?`}, ""},
	} {
		out, errs, code := asks(t, file, c.args...)
		if code != c.code {
			t.Errorf("%v: exit code %d", c.args, code)
		}
		for _, want := range c.says {
			if !strings.Contains(out+errs, want) {
				t.Errorf("%v does not say %q:\n%s%s", c.args, want, out, errs)
			}
		}
		if c.not != "" && strings.Contains(out, c.not) {
			t.Errorf("%v says %q:\n%s", c.args, c.not, out)
		}
		if code != 2 && errs != "" {
			t.Errorf("%v writes to stderr, which is no terminal: %q", c.args, errs)
		}
	}
}

// The JSON has just the keys that are promised, and hosts stand in the lab file's
// order, whatever was found.
func TestPreflightJSON(t *testing.T) {
	out, _, code := asks(t, twoWorkers(t), "--check", "bmc,registry", "-o", "json")
	if code != 3 {
		t.Errorf("exit code %d", code)
	}
	var report struct {
		Lab       string           `json:"lab"`
		Hosts     []map[string]any `json:"hosts"`
		LabChecks []map[string]any `json:"lab_checks"`
		Summary   map[string]any   `json:"summary"`
	}
	decoder := json.NewDecoder(strings.NewReader(out))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&report); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if report.Lab != "ipv4-connected" || len(report.Hosts) != 2 || report.Hosts[0]["name"] != "worker0" || report.Hosts[0]["status"] != "warn" || report.Hosts[1]["status"] != "fail" {
		t.Errorf("%s", out)
	}
	keys := func(m map[string]any) string {
		var all []string
		for k := range m {
			all = append(all, k)
		}
		slices.Sort(all)
		return strings.Join(all, " ")
	}
	for _, h := range report.Hosts {
		if got := keys(h); got != "address checks duration_ms firmware model name requests status vendor" {
			t.Errorf("a host has the keys %s", got)
		}
		for _, c := range h["checks"].([]any) {
			if got := keys(c.(map[string]any)); got != "id remedy seen status" {
				t.Errorf("a check has the keys %s", got)
			}
		}
	}
	if len(report.LabChecks) != 1 || report.LabChecks[0]["area"] != "registry" || report.LabChecks[0]["status"] != "skip" {
		t.Errorf("%v", report.LabChecks)
	}
	if report.Summary["status"] != "fail" || report.Summary["usable"] != 1.0 {
		t.Errorf("%v", report.Summary)
	}
}

// The JUnit report has a suite a worker and area, and a failure that holds cause
// and remedy.
func TestPreflightJUnit(t *testing.T) {
	out, _, code := asks(t, twoWorkers(t), "--check", "bmc,registry", "-o", "junit")
	if code != 3 {
		t.Errorf("exit code %d", code)
	}
	var all junit.Testsuites
	if err := xml.Unmarshal([]byte(out), &all); err != nil {
		t.Fatal(err)
	}
	if len(all.Suites) != 3 || all.Suites[1].Name != "worker1" || all.Suites[1].Failures != 1 || all.Failures != 1 || all.Suites[2].Skipped != 4 {
		t.Fatalf("%s", out)
	}
	for _, c := range all.Suites[1].Testcases {
		if c.Failure != nil && (c.Name != "auth" || c.Classname != "ipv4-connected.worker1" || !strings.Contains(c.Failure.Data, "\n")) {
			t.Errorf("%+v", c)
		}
	}
}

// --explain needs no lab.
func TestPreflightExplain(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		says []string
	}{
		{[]string{"--explain", "boot-mac"}, 0, []string{"boot-mac (bmc)\n\nAsks\n  Whether the host's boot MAC", "\nRule\n", "\nWhat to do\n"}},
		{[]string{"--explain=dns"}, 0, []string{"dns (bmc)\n"}},
		{[]string{"--explain", "rootfs", "-o", "json"}, 0, []string{`"area": "images"`, `"needs": []`}},
		{[]string{"--explain"}, 0, []string{"bmc  ", "\ndns  ", "\nregistry  ", "\nimages  ", "\ncluster  "}},
		{[]string{"--explain", "boot-mcc"}, 2, []string{`no check of the pre-flight is called "boot-mcc"`, `did you mean "boot-mac"?`}},
	} {
		var out bytes.Buffer
		if code := Main(t.Context(), append([]string{"preflight"}, c.args...), cli.Streams{Out: &out, Err: &out}); code != c.code {
			t.Errorf("%v: exit code %d\n%s", c.args, code, out.String())
		}
		for _, want := range c.says {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%v does not say %q:\n%s", c.args, want, out.String())
			}
		}
	}
}

// At Ctrl-C it says what it does, what was found until then is told, and what was not asked to the end is not known.
func TestPreflightInterrupted(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close() //nolint:errcheck // nothing was written
	file := twoWorkers(t)
	go func() {
		if conn, err := silent.Accept(); err == nil {
			defer conn.Close() //nolint:errcheck // nothing was written
			if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
				t.Error(err)
			}
			<-t.Context().Done()
		}
	}()
	var out, errs bytes.Buffer
	code := Main(t.Context(), []string{"preflight", "../../labs/ipv4-connected.yaml", "--values", file, "--host", "worker1",
		"--set", "lab.workers[1].bmc.address=redfish-virtualmedia+http://" + silent.Addr().String() + bmctest.System}, cli.Streams{Out: &out, Err: &errs})
	const line = "interrupted: nothing more is asked, and open sessions are closed; once more ends labrun at once\n"
	if code != 130 || !strings.Contains(out.String(), "? worker1  redfish") || !strings.Contains(out.String(), "0 of 1 worker can be used") || !strings.Contains(errs.String(), line) {
		t.Errorf("exit code %d\n%s%s", code, out.String(), errs.String())
	}
}
