package steps

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/steps/kube"
)

// Credentials writes the hosted cluster's kubeconfig and kubeadmin's password to
// files that only their owner reads.
type Credentials struct{}

// CredentialsOutputs are the files.
type CredentialsOutputs struct {
	Kubeconfig string `yaml:"kubeconfig" doc:"file with the kubeconfig"`
	Password   string `yaml:"password" doc:"file with kubeadmin's password"`
}

// Summary names the file that the user wants next.
func (o CredentialsOutputs) Summary() string { return "kubeconfig " + o.Kubeconfig }

func kubeconfigSecret(f *labs.Facts) kube.Ref {
	return secretRef(f.Hosted.Namespace, f.Hosted.Name+"-admin-kubeconfig")
}

func passwordSecret(f *labs.Facts) kube.Ref {
	return secretRef(f.Hosted.Namespace, f.Hosted.Name+"-kubeadmin-password")
}

// privateMode is that of the files.
const privateMode = 0o600

// result is one file as it should be.
type result struct {
	path    string
	content []byte
}

// Run writes what differs.
func (s Credentials) Run(ctx context.Context, env *Env) (CredentialsOutputs, error) {
	out, files, err := s.wanted(ctx, env)
	for n := 0; err == nil && n < len(files); n++ {
		err = writePrivate(ctx, env, files[n].path, files[n].content)
	}
	return out, err
}

// wanted reads what the files should hold. It stands on the management cluster.
func (Credentials) wanted(ctx context.Context, env *Env) (CredentialsOutputs, []result, error) {
	var files []result
	f := env.Facts()
	out := CredentialsOutputs{
		Kubeconfig: env.result(f.Results.Kubeconfig, "kubeconfig"),
		Password:   env.result(f.Results.Password, "kubeadmin-password"),
	}
	for _, w := range []struct {
		field string
		usual kube.Ref
		key   string
		path  string
	}{{"kubeconfig", kubeconfigSecret(f), "kubeconfig", out.Kubeconfig}, {"kubeadminPassword", passwordSecret(f), "password", out.Password}} {
		from, err := env.resultSecret(ctx, w.field, w.usual)
		if err != nil {
			return out, nil, err
		}
		value, err := env.published(ctx, from, w.key)
		if err != nil {
			return out, nil, err
		}
		if w.key == "kubeconfig" {
			env.concealLogins(value)
		} else {
			env.opts.Conceal(value)
		}
		files = append(files, result{w.path, []byte(value)})
	}
	return out, files, nil
}

// writePrivate writes a file of mode 0600 beside itself and renames it, unless
// it is as it should be.
func writePrivate(ctx context.Context, env *Env, path string, content []byte) error {
	have, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if private(path) && bytes.Equal(have, content) {
		return nil
	}
	return env.Scope().DoObservable(ctx, "write", "file "+path, func(context.Context) (bool, string, error) {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return false, "", err
		}
		return true, "", replaceFile(path, content, privateMode)
	})
}

// private says whether a file is there, for its owner alone.
func private(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().Perm() == privateMode
}

// replaceFile writes a file of just this mode: renameio.WriteFile would take over
// the mode of the file that is there.
func replaceFile(path string, content []byte, mode fs.FileMode) error {
	file, err := renameio.NewPendingFile(path, renameio.WithPermissions(mode), renameio.IgnoreUmask())
	if err != nil {
		return err
	}
	defer file.Cleanup() //nolint:errcheck // nothing is left of it once it has replaced the other
	if _, err := file.Write(content); err != nil {
		return err
	}
	return file.CloseAtomicallyReplace()
}
