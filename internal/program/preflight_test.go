package program

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/labrun/labrun/internal/cli"
	"github.com/labrun/labrun/redfish/bmctest"
)

// TestPreflight asks the BMCs of both workers, of which one refuses the password.
func TestPreflight(t *testing.T) {
	t.Setenv("BMC_PASSWORD", "right")
	var values strings.Builder
	values.WriteString("lab:\n  workers:\n")
	for n, password := range []string{"right", "other"} {
		b, err := bmctest.New(bmctest.Config{TLS: true, Sessions: true, Username: "admin", Password: password})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.Close)
		fmt.Fprintf(&values, "  - {name: worker%d, boot_mac: %q, bmc: {address: %q, disable_certificate_verification: true, credentials: {username: admin, password: {env: BMC_PASSWORD}}}}\n",
			n, fmt.Sprintf("%s%d", bmctest.MAC[:len(bmctest.MAC)-1], n), b.Address(bmctest.System))
	}
	file := filepath.Join(t.TempDir(), "values.yaml")
	if err := os.WriteFile(file, []byte(values.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		says []string
	}{
		{nil, 3, []string{"✗ worker1  redfish", "fail      auth: ", "do  ", " of 2 workers can be used · "}},
		{[]string{"--host", "worker1", "-o", "json"}, 3, []string{`"status": "fail"`, `"name": "worker1"`}},
		{[]string{"--host", "w9"}, 2, []string{`the lab has no worker "w9"`}},
	} {
		var out bytes.Buffer
		args := append([]string{"preflight", "../../labs/ipv4-connected.yaml", "--values", file}, c.args...)
		code := Main(t.Context(), args, cli.Streams{Out: &out, Err: &out})
		if code != c.code {
			t.Errorf("%v: exit code %d", c.args, code)
		}
		for _, want := range c.says {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%v does not say %q:\n%s", c.args, want, out.String())
			}
		}
	}
}
