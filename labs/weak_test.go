package labs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A secret that cannot be masked is told when the file is loaded, with the fact
// that stands in its way, and never with its value.
func TestWeakSecrets(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ name, password, pull, path, says string }{
		{name: "sound", password: "tin-whistle-7"},
		{name: "six letters", password: "qzxwvk\n"},
		{name: "short", password: "hi-5", path: "workers[0].bmc.credentials.password", says: "fewer than 6 characters"},
		{name: "digits", password: "20261126", path: "workers[0].bmc.credentials.password", says: "a number of fewer than 12 digits"},
		{name: "a word", password: "Password1", path: "workers[0].bmc.credentials.password", says: "a word that messages use"},
		{name: "repeated", password: "--------", path: "workers[0].bmc.credentials.password", says: "one character or two"},
		{name: "the lab", password: "Tern-Lab", path: "workers[0].bmc.credentials.password", says: "the same as the lab's name"},
		{name: "the user", password: "tern-user-9", path: "workers[0].bmc.credentials.password", says: "the same as lab.workers[0].bmc.credentials.username"},
		{name: "part of a fact", password: "registry.lab", path: "workers[0].bmc.credentials.password", says: "a part of lab.registry.host"},
		{name: "a login", password: "tin-whistle-7", pull: `{"auths":{"registry.lab.example:5000":{"auth":"bGFiOmxhYg=="}}}`, path: "pull_secret", says: "a password in file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := sound()
			f.Workers[0].BMC.Credentials.Username = "tern-user-9"
			write := func(name, text string) Path {
				path := filepath.Join(dir, name)
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				return Path(path)
			}
			f.Workers[0].BMC.Credentials.Password = SecretRef{File: write("password", c.password)}
			if c.pull != "" {
				f.PullSecret = SecretRef{File: write("pull", c.pull)}
			}
			problems := Complete("tern-lab", f)
			if c.says == "" {
				if len(problems) > 0 {
					t.Errorf("%+v", problems)
				}
				return
			}
			if len(problems) != 1 || !problems[0].Warning || problems[0].Path != c.path || !strings.Contains(problems[0].Message, c.says) {
				t.Fatalf("%+v, want a warning at %s: %s", problems, c.path, c.says)
			}
			if c.name != "the lab" && c.name != "the user" && strings.Contains(problems[0].Message+problems[0].Hint, c.password) {
				t.Errorf("the secret is told: %+v", problems[0])
			}
		})
	}
}

// What a machine has of a lab's secrets is masked from the beginning on.
func TestPresentSecrets(t *testing.T) {
	f := sound()
	t.Setenv("LABRUN_TEST_SECRET", "of the environment")
	f.Registry.Credentials = SecretRef{Env: "LABRUN_TEST_SECRET"}
	f.Workers[1].BMC.Credentials.Password = SecretRef{Command: []string{"false"}}
	var got []string
	for _, s := range f.PresentSecrets() {
		text := strings.TrimSpace(s.Reveal())
		got = append(got, text[:min(len(text), 8)])
	}
	if strings.Join(got, "|") != `{"auths"|of the e|hunter2` {
		t.Errorf("%q", got)
	}
	if names := f.SecretVariables(); len(names) != 1 || names[0] != "LABRUN_TEST_SECRET" {
		t.Errorf("variables %q", names)
	}
}
