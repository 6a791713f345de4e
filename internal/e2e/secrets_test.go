package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/labrun/labrun/internal/canary"
)

// results are the files of a run whose purpose is to hold secrets.
func results(path string) bool {
	name := filepath.Base(path)
	return name == "kubeconfig" || name == "kubeadmin-password"
}

// wantNoSecrets looks for every secret of the lab in all that a run told and left:
// those that the simulated lab made up, those of the kubeconfigs, and what the run
// itself found on the hub.
func (l *lab) wantNoSecrets(t *testing.T, o outcome) {
	t.Helper()
	var all canary.Cage
	for name, secret := range l.secrets(t) {
		all.Put(name, secret)
	}
	folder := filepath.Join(l.state, l.facts.Name)
	caged := cageLogins(t, &all, l.kubeconfig)
	if _, err := os.Stat(filepath.Join(folder, "kubeconfig")); err == nil {
		caged += cageLogins(t, &all, filepath.Join(folder, "kubeconfig"))
	}
	if caged == 0 {
		t.Errorf("%s holds no login: nothing was looked for", l.kubeconfig)
	}
	if password, err := os.ReadFile(filepath.Join(folder, "kubeadmin-password")); err == nil {
		all.Put("kubeadmin's password", string(password))
	}
	for place, text := range map[string]string{"stdout": o.out, "stderr": o.err} {
		if found := all.In([]byte(text)); len(found) > 0 {
			t.Errorf("%s tells %v", place, found)
		}
	}
	files, err := all.Walk(l.state, results)
	if err != nil || len(files) > 0 {
		t.Errorf("files of the run hold secrets: %v, %v", files, err)
	}
	l.wantFound(t, &all)
}

// wantFound proves that the state folder was searched: a secret that is put beside
// the journal is found there, and in the files that may hold them.
func (l *lab) wantFound(t *testing.T, all *canary.Cage) {
	t.Helper()
	planted := filepath.Join(l.state, l.facts.Name, "planted")
	text, err := os.ReadFile(filepath.Join(l.Dir(), "bmc-password"))
	if err == nil {
		err = os.WriteFile(planted, []byte("{\"said\":\"refused "+strings.TrimSpace(string(text))+"\"}\n"), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	files, err := all.Walk(l.state, results)
	if err != nil || len(files) != 1 {
		t.Errorf("a secret was planted, found were %v: %v", files, err)
	}
	if err := os.Remove(planted); err != nil {
		t.Fatal(err)
	}
}

// cageLogins puts the logins of a kubeconfig among the secrets, and counts them.
func cageLogins(t *testing.T, all *canary.Cage, path string) int {
	t.Helper()
	config, err := clientcmd.LoadFromFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for name, user := range config.AuthInfos {
		for what, secret := range map[string]string{"key": string(user.ClientKeyData), "token": user.Token, "password": user.Password} {
			if secret != "" {
				all.Put("the "+what+" of "+name+" in "+filepath.Base(path), secret)
				n++
			}
		}
	}
	return n
}
