package steps

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/steps/kube"
)

// errNoKey is the error of a Secret without what is looked for in it.
var errNoKey = errors.New("has no key")

// published reads one key of a Secret of the hub.
func (l *Lab) published(ctx context.Context, ref kube.Ref, key string) (string, error) {
	hub, err := l.Hub(ctx)
	if err != nil {
		return "", err
	}
	u, err := hub.Get(ctx, ref)
	if err != nil {
		return "", err
	}
	secret := kube.Convert[corev1.Secret](u)
	if secret == nil || len(secret.Data[key]) == 0 {
		return "", fmt.Errorf("%s %w %s", what(ref), errNoKey, key)
	}
	return string(secret.Data[key]), nil
}

// absent says that the hub was asked for an object, and has none.
func absent(err error) bool { return apierrors.IsNotFound(err) || kube.NotServed(err) }

// resultSecret is the Secret that the HostedCluster's status names in a field, or
// the one that HyperShift has always called so.
func (l *Lab) resultSecret(ctx context.Context, field string, usual kube.Ref) (kube.Ref, error) {
	hub, err := l.Hub(ctx)
	if err != nil {
		return usual, err
	}
	u, err := hub.Get(ctx, hostedClusterRef(l.facts))
	if err != nil {
		return usual, err
	}
	if name := text(u, "status", field, "name"); name != "" {
		usual.Name = name
	}
	return usual, nil
}

// Secret finds the value that a reference names, once a run. Who asks for another
// one does not wait for it.
func (l *Lab) Secret(ctx context.Context, ref labs.SecretRef) (labs.Secret, error) {
	return l.secret(ref.String()).get(ctx, func() (labs.Secret, error) {
		value, err := l.find(ctx, ref)
		if err != nil {
			return labs.Secret{}, fmt.Errorf("finding the secret in %s: %w", ref, err)
		}
		l.opts.Conceal(value)
		return labs.NewSecret(value), nil
	})
}

// concealLoginsIn conceals those of a kubeconfig's file.
func (l *Lab) concealLoginsIn(path string) {
	if text, err := os.ReadFile(path); err == nil { // who connects says what is wrong
		l.concealLogins(string(text))
	}
}

// concealLogins conceals what lets somebody in by a kubeconfig, not the rest of it.
func (l *Lab) concealLogins(kubeconfig string) {
	config, err := clientcmd.Load([]byte(kubeconfig))
	if err != nil {
		return // who uses it says so
	}
	for _, user := range config.AuthInfos {
		for _, secret := range []string{string(user.ClientKeyData), user.Token, user.Password} {
			if secret != "" {
				l.opts.Conceal(secret)
			}
		}
		for _, path := range []string{user.ClientKey, user.TokenFile} {
			if secret, err := os.ReadFile(path); path != "" && err == nil {
				l.opts.Conceal(string(secret))
			}
		}
	}
}

func (l *Lab) secret(place string) *shared[labs.Secret] {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.secrets[place] == nil {
		l.secrets[place] = newShared[labs.Secret]()
	}
	return l.secrets[place]
}

func (l *Lab) find(ctx context.Context, ref labs.SecretRef) (string, error) {
	switch {
	case ref.File != "":
		b, err := os.ReadFile(string(ref.File))
		return string(b), err
	case ref.Env != "":
		value, ok := os.LookupEnv(ref.Env)
		if !ok {
			return "", fmt.Errorf("it is not set: export %s=…", ref.Env)
		}
		return value, nil
	case len(ref.Command) > 0:
		return l.printed(ctx, ref.Command)
	case ref.Secret != labs.ClusterRef{}:
		return l.published(ctx, secretRef(ref.Secret.Namespace, ref.Secret.Name), ref.Secret.Key)
	}
	return "", labs.ErrNoSecret
}

// printed gives what a command prints. Its error tells the end of what it
// complained of, and nothing of what it printed.
func (l *Lab) printed(ctx context.Context, argv []string) (string, error) {
	var stdout bytes.Buffer
	var stderr tail
	cmd := command(ctx, argv)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := l.programs.run(ctx, cmd); err != nil {
		if said := lastLines(stderr.String(), 3); len(said) > 0 {
			err = fmt.Errorf("%w: %s", err, strings.Join(said, "; "))
		}
		return "", errors.Join(err, ctx.Err())
	}
	return strings.TrimRight(stdout.String(), "\n"), nil
}
