package e2e

import (
	"encoding/base64"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/labrun/labrun/pipeline/event"
)

// wantEvidence checks what a failure left: a page that tells what the run told, and
// the files that it names, no secret of the lab in any of them.
func (l *lab) wantEvidence(t *testing.T, i *event.Instance) {
	t.Helper()
	if i.Evidence == nil {
		t.Fatalf("%s left no evidence", i.Name())
	}
	page, err := os.ReadFile(i.Evidence.Page)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", page)
	for _, want := range append([]string{"# " + i.Name() + " failed", "**" + i.Result.Report.Title + "**", "continues from " + i.Typed(), "## How it came to it"}, i.Evidence.Files...) {
		if !strings.Contains(string(page), want) {
			t.Errorf("%s lacks %q", i.Evidence.Page, want)
		}
	}
	secrets := l.secrets(t)
	dir := filepath.Dir(i.Evidence.Page)
	var files int
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		for name, secret := range secrets {
			if strings.Contains(string(text), secret) {
				t.Errorf("%s holds %s", path, name)
			}
		}
		if info, err := entry.Info(); err == nil && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if files != len(i.Evidence.Files)+1 {
		t.Errorf("%d files in %s, the event names %v", files, dir, i.Evidence.Files)
	}
}

// secrets are what of this lab may stand nowhere: what the simulated lab made up,
// in plain and as Kubernetes has it.
func (l *lab) secrets(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, name := range []string{"bmc-password", "registry-login", "pull-secret.json"} {
		text, err := os.ReadFile(filepath.Join(l.Dir(), name))
		if err != nil {
			t.Fatal(err)
		}
		value := strings.TrimSpace(string(text))
		all[name] = value
		all[name+" in base64"] = base64.StdEncoding.EncodeToString([]byte(value))
		if _, password, found := strings.Cut(value, ":"); found && name == "registry-login" {
			all["the registry's password"] = password
		}
	}
	return all
}
