package labs

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
)

// maxFile is the largest file that is read for a fact, in bytes.
const maxFile = 1 << 20

// pullSecret is the path of that fact.
const pullSecret = "pull_secret"

// NamedSecret is a reference with the path of the fact that it stands in.
type NamedSecret struct {
	Path string
	Ref  SecretRef
}

// secrets are all references to secrets, each place once.
func (f *Facts) secrets() []NamedSecret {
	all := []NamedSecret{{pullSecret, f.PullSecret}}
	if !f.Registry.Credentials.IsZero() {
		all = append(all, NamedSecret{"registry.credentials", f.Registry.Credentials})
	}
	for i, w := range f.Workers {
		all = append(all, NamedSecret{fmt.Sprintf("workers[%d].bmc.credentials.password", i), w.BMC.Credentials.Password})
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(all, func(s NamedSecret) bool {
		again := seen[s.Ref.String()]
		seen[s.Ref.String()] = true
		return again
	})
}

// SecretFiles are the paths of the files that hold secrets: those that references
// name, and the management cluster's kubeconfig with its keys.
func (f *Facts) SecretFiles() []string {
	var all []string
	for _, s := range f.secrets() {
		if s.Ref.File != "" {
			all = append(all, string(s.Ref.File))
		}
	}
	if path := string(f.Management.Kubeconfig); path != "" {
		all = append(all, path)
	}
	return all
}

// SecretVariables are the environment variables that hold secrets.
func (f *Facts) SecretVariables() []string {
	var all []string
	for _, s := range f.secrets() {
		if s.Ref.Env != "" {
			all = append(all, s.Ref.Env)
		}
	}
	return all
}

// LateSecrets are the references that only a run can follow: what a command
// prints, and Secrets of the management cluster. Each place is named once.
func (f *Facts) LateSecrets() []NamedSecret {
	return slices.DeleteFunc(f.secrets(), func(s NamedSecret) bool {
		return len(s.Ref.Command) == 0 && s.Ref.Secret == ClusterRef{}
	})
}

// CheckSecret says what is wrong with the value of one of them. The value never
// stands in what it says.
func (f *Facts) CheckSecret(s NamedSecret, value Secret) []Problem {
	var c checker
	text := value.Reveal()
	if strings.TrimSpace(text) == "" {
		c.fail(s.Path, "", "%s gives nothing", s.Ref)
		return c.problems
	}
	if s.Path == pullSecret {
		c.pullSecret(f, text)
	}
	c.weak(f.Known(), s, text)
	return c.problems
}

// references checks that each secret is found in one place, and what is in
// those that this machine holds. A lab may be checked on a machine that has
// none of its secrets; a run needs them all.
func (c *checker) references(f *Facts) {
	known := f.Known()
	for _, s := range f.secrets() {
		if !c.onePlace(s.Path, s.Ref) {
			continue
		}
		value, wrong, hint := present(s.Ref)
		if wrong != "" {
			c.add(Problem{Path: s.Path, Message: wrong, Hint: hint, ForRun: true})
			continue
		}
		if s.Path == pullSecret && value != "" {
			c.pullSecret(f, value)
		}
		c.weak(known, s, value)
	}
}

func (c *checker) onePlace(path string, ref SecretRef) bool {
	given := 0
	for _, set := range []bool{ref.File != "", ref.Env != "", len(ref.Command) > 0, ref.Secret != ClusterRef{}} {
		if set {
			given++
		}
	}
	if given != 1 {
		c.fail(path, "one of file, env, command, secret", "a secret is found in exactly one place, %d are named", given)
	}
	return given == 1
}

// present gives the secret in a file or variable, or says why it is not there.
// Of other references, and of a pipe, which can be read once only, it gives neither.
func present(ref SecretRef) (value, wrong, hint string) {
	if ref.Env != "" {
		value, set := os.LookupEnv(ref.Env)
		hint := "export " + ref.Env + "=…"
		if !set {
			return "", "the variable " + ref.Env + " is not set", hint
		}
		if strings.TrimSpace(value) == "" {
			return "", "the variable " + ref.Env + " is empty", hint
		}
		return value, "", ""
	}
	if ref.File == "" {
		return "", "", ""
	}
	path := string(ref.File)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", "there is no file " + path, "a relative path begins at the file that names it, ~/ at the home folder"
	case err == nil && !info.Mode().IsRegular() && !info.IsDir():
		return "", "", ""
	}
	value, err = readLimited(path)
	if err != nil {
		return "", fmt.Sprintf("%s cannot be read: %v", path, plainly(err)), ""
	}
	if strings.TrimSpace(value) == "" {
		return "", path + " is empty", ""
	}
	return value, "", ""
}

// readLimited reads a file that a fact names, within maxFile.
func readLimited(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.IsDir() {
		return "", errors.New("it is a folder")
	}
	b, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = fmt.Errorf("it is larger than %d MiB", maxFile>>20)
	}
	return string(b), err
}

// pullSecret checks a pull secret's text, of which nothing is ever told but the
// names of its registries.
func (c *checker) pullSecret(f *Facts, text string) {
	const path = pullSecret
	var document struct {
		Auths map[string]json.RawMessage `json:"auths"`
	}
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		c.fail(path, "download it again, or compare it with podman login --authfile", "the pull secret in %s is no JSON%s", f.PullSecret, offset(err))
		return
	}
	if document.Auths == nil || len(document.Auths) == 0 && f.Registry.Credentials.IsZero() {
		c.fail(path, `{"auths": {"registry.example:5000": {"auth": "…"}}}`, "the pull secret in %s names no registry: its key auths is absent or empty", f.PullSecret)
		return
	}
	host := f.Registry.Address()
	if !f.Disconnected || f.Registry.Host == "" || f.Registry.atIPv6() || !f.Registry.Credentials.IsZero() {
		return
	}
	names := slices.Sorted(maps.Keys(document.Auths))
	for _, name := range names {
		if name == host || strings.HasPrefix(name, host+"/") || f.Registry.Port == 443 && name == f.Registry.Host {
			return
		}
	}
	add := "podman login --authfile FILE " + host
	if f.PullSecret.File != "" {
		add = "podman login --authfile " + string(f.PullSecret.File) + " " + host
	}
	c.fail(path, add+"; or give lab.registry.credentials",
		"the pull secret in %s has nothing for the lab's registry %s, only for %s", f.PullSecret, host, strings.Join(names[:min(len(names), 5)], ", "))
}

// offset says where a text stops being JSON, without showing it.
func offset(err error) string {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Sprintf(", from its byte %d on", syntax.Offset)
	}
	return " of this shape"
}

// Address is host:port as images name it.
func (r Registry) Address() string {
	if r.Port == 0 {
		return r.Host
	}
	return fmt.Sprintf("%s:%d", r.Host, r.Port)
}

// plainly leaves the path and the call out of a file's error.
func plainly(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
