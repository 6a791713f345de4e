package program

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/labrun/labrun/internal/cli"
)

// labrun init writes each of the six labs that labrun brings, but for where the
// schema is found, and what it writes is valid.
func TestInit(t *testing.T) {
	there, err := filepath.Abs(filepath.Join("..", "..", "labs"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	t.Setenv("BMC_PASSWORD", "x")
	if err := os.WriteFile("pull-secret.json", []byte(`{"auths": {"registry.hypershiftbm.lab:5000": {"auth": "bGFiOnF1aWxsLTdmM2EtZmVycnk="}, "quay.io": {"auth": "bGFiOnF1aWxsLTdmM2EtZmVycnk="}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, stack := range []string{"ipv4", "ipv6", "dual"} {
		for name, flags := range map[string][]string{"connected": nil, "disconnected": {"--disconnected"}} {
			file := stack + "-" + name + ".yaml"
			golden, err := os.ReadFile(filepath.Join(there, file))
			if err != nil {
				t.Fatal(err)
			}
			want := strings.Replace(string(golden), "$schema=../schemas/", "$schema=", 1)
			if out := labrunSays(t, append([]string{"init", "--stack", stack}, flags...)...); out != want {
				t.Errorf("%s: another text than that of the lab:\n%s", file, out)
			}
			// The longest name is good for the lab, its cluster and all that is named after them.
			for _, lab := range []string{"1", "null", strings.Repeat("x", 54)} {
				labrunSays(t, append([]string{"init", "--stack", stack, "--name", lab, "-o", lab + file}, flags...)...)
				out := labrunSays(t, "validate", lab+file, "--set", "lab.pull_secret.file=pull-secret.json")
				if want := lab + file + ": " + lab + " is valid: 36 steps in 7 phases\n"; out != want {
					t.Errorf("%s: got %q, want %q", file, out, want)
				}
			}
		}
	}
}

// labrunSays runs a command that does its work, and gives what it says.
func labrunSays(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if code := Main(t.Context(), args, cli.Streams{Out: &out, Err: &errs}); code != 0 {
		t.Fatalf("labrun %s: exit code %d\n%s", strings.Join(args, " "), code, errs.String())
	}
	return out.String()
}
