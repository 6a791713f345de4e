package steps

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps/kube"
)

// HostedKubeconfig finds the hosted cluster's kubeconfig where a run has put it,
// else in the Secret that HyperShift publishes on the hub. from says where it was.
func (l *Lab) HostedKubeconfig(ctx context.Context) (text, from string, err error) {
	path := l.result(l.facts.Results.Kubeconfig, "kubeconfig")
	b, err := os.ReadFile(path)
	switch {
	case err == nil:
		text, from = string(b), "the file "+path
	case errors.Is(err, fs.ErrNotExist):
		if text, from, err = l.publishedKubeconfig(ctx); err != nil {
			return "", "", err
		}
	default:
		return "", "", fmt.Errorf("reading the kubeconfig that a run has written: %w", err)
	}
	config, err := clientcmd.Load([]byte(text))
	if err == nil && len(config.Clusters) == 0 {
		err = errors.New("it names no cluster")
	}
	if err != nil {
		return "", "", &pipeline.Report{Report: event.Report{Title: from + " holds no kubeconfig",
			Lines: []event.Line{{Label: "it said", Text: err.Error()}}, Next: "move it away, and labrun kubeconfig LAB asks the management cluster"}, Cause: err}
	}
	return text, from, nil
}

func (l *Lab) publishedKubeconfig(ctx context.Context) (text, from string, err error) {
	ref, err := l.resultSecret(ctx, "kubeconfig", kubeconfigSecret(l.facts))
	if apierrors.IsNotFound(err) {
		return "", "", l.notYet(hostedClusterRef(l.facts), "labrun run LAB builds it", err)
	}
	if err == nil {
		text, err = l.published(ctx, ref, "kubeconfig")
	}
	if apierrors.IsNotFound(err) {
		return "", "", l.notYet(ref, "HyperShift publishes it once the control plane's API server runs: labrun status LAB says how far the run is, oc get "+
			kube.GetArguments(hostedClusterRef(l.facts))+" what HyperShift waits for", err)
	}
	return text, ref.String() + " on " + l.hubHost(), err
}

// notYet is the error of a kubeconfig that is not there because an object is not.
func (l *Lab) notYet(missing kube.Ref, next string, err error) error {
	return &pipeline.Report{Report: event.Report{Title: fmt.Sprintf("the hosted cluster has no kubeconfig yet: there is no %s on %s", missing, l.hubHost()), Next: next}, Cause: err}
}

func (l *Lab) hubHost() string {
	if c, ok := l.hub.peek(); ok {
		return c.Host()
	}
	return "the management cluster"
}
