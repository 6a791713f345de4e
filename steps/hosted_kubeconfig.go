package steps

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps/kube"
)

// publishedWithin is how long the hub is asked for the kubeconfig that it publishes.
const publishedWithin = 5 * time.Second

// FoundKubeconfig is the hosted cluster's kubeconfig.
type FoundKubeconfig struct {
	Text    string // the kubeconfig itself
	From    string // where it was: the file that a run has written, or the Secret on the hub
	Unasked string // why the hub could not be asked whether it is still the cluster's; "" where it was
}

// HostedKubeconfig finds the kubeconfig that HyperShift publishes on the hub. What a
// run has written may be of a cluster that was: it is given only where the hub has the
// same, or cannot be asked.
func (l *Lab) HostedKubeconfig(ctx context.Context) (FoundKubeconfig, error) {
	path := l.result(l.facts.Results.Kubeconfig, "kubeconfig")
	written, unread := os.ReadFile(path)
	limited, cancel := context.WithTimeout(ctx, publishedWithin)
	defer cancel()
	text, from, err := l.publishedKubeconfig(limited, path, unread == nil)
	found := FoundKubeconfig{Text: text, From: from}
	switch {
	case ctx.Err() != nil:
		return FoundKubeconfig{}, ctx.Err()
	case err == nil && unread == nil && string(written) == text:
		found.From = "the file " + path
	case err == nil:
	case absent(err) || errors.Is(err, errNoKey) || errors.Is(unread, fs.ErrNotExist):
		return FoundKubeconfig{}, err
	case unread != nil:
		return FoundKubeconfig{}, errors.Join(fmt.Errorf("reading the kubeconfig that a run has written: %w", unread), err)
	default:
		found = FoundKubeconfig{Text: string(written), From: "the file " + path, Unasked: err.Error()}
	}
	if err := found.check(); err != nil {
		return FoundKubeconfig{}, err
	}
	return found, nil
}

// check says whether it is a kubeconfig at all.
func (k FoundKubeconfig) check() error {
	config, err := clientcmd.Load([]byte(k.Text))
	if err == nil && len(config.Clusters) == 0 {
		err = errors.New("it names no cluster")
	}
	if err == nil {
		return nil
	}
	r := event.Report{Title: k.From + " holds no kubeconfig", Lines: []event.Line{{Label: "it said", Text: err.Error()}},
		Next: "labrun status LAB says whether HyperShift is done with it"}
	if k.Unasked != "" {
		r.Lines = append(r.Lines, event.Line{Label: "the management cluster could not be asked", Text: k.Unasked})
		r.Next = "labrun kubeconfig LAB --kubeconfig FILE asks the management cluster that FILE leads to"
	}
	return &pipeline.Report{Report: r, Cause: err}
}

// publishedKubeconfig asks the hub. Where it has none, the error says whether the
// hosted cluster is not there yet, or is gone and the file that a run has written to
// path is left of it.
func (l *Lab) publishedKubeconfig(ctx context.Context, path string, written bool) (text, from string, err error) {
	ref, err := l.resultSecret(ctx, "kubeconfig", kubeconfigSecret(l.facts))
	switch {
	case absent(err) && written:
		return "", "", &pipeline.Report{Report: event.Report{
			Title: fmt.Sprintf("the hosted cluster is gone: %s is of one that was", path),
			Lines: []event.Line{{Label: "seen", Text: fmt.Sprintf("there is no %s on %s", hostedClusterRef(l.facts), l.hubHost())}},
			Next:  "labrun run LAB builds it again; where it stands on another management cluster: --kubeconfig FILE"}, Cause: err}
	case absent(err):
		return "", "", l.noKubeconfig("the hosted cluster is not there, nor its kubeconfig", hostedClusterRef(l.facts), "labrun run LAB builds it", err)
	case err == nil:
		text, err = l.published(ctx, ref, "kubeconfig")
	}
	if absent(err) {
		return "", "", l.noKubeconfig("the hosted cluster has no kubeconfig yet", ref, "HyperShift publishes it once the control plane's API server runs: labrun status LAB says how far the run is, oc get "+
			kube.GetArguments(hostedClusterRef(l.facts))+" what HyperShift waits for", err)
	}
	return text, ref.String() + " on " + l.hubHost(), err
}

// noKubeconfig is the error of one that is not there because an object is not.
func (l *Lab) noKubeconfig(what string, object kube.Ref, next string, err error) error {
	return &pipeline.Report{Report: event.Report{Title: fmt.Sprintf("%s: there is no %s on %s", what, object, l.hubHost()), Next: next}, Cause: err}
}

func (l *Lab) hubHost() string {
	if c, ok := l.hub.peek(); ok {
		return c.Host()
	}
	return "the management cluster"
}
