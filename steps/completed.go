package steps

import (
	"regexp"
	"strings"
	"unicode"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps/crd"
	"github.com/labrun/labrun/steps/kube"
	"github.com/labrun/labrun/steps/trouble"
)

// Completed waits for the end: the pool has its workers, and the hosted cluster's
// version is Completed and the lab's.
type Completed struct{}

// CompletedOutputs is what was built.
type CompletedOutputs struct {
	Version string `yaml:"version" doc:"version of the hosted cluster"`
	Workers int    `yaml:"workers" doc:"number of its workers"`
}

// Reads cluster and pool.
func (Completed) Reads(f *labs.Facts) []kube.Ref {
	return []kube.Ref{hostedClusterRef(f), nodePool(f)}
}

// Objects are none.
func (Completed) Objects(*labs.Facts, kube.Seen) ([]kube.Intent, error) { return nil, nil }

// Judge waits for the pool first: the version stays Partial until workers and
// operators are done.
func (s Completed) Judge(f *labs.Facts, seen kube.Seen) kube.Verdict {
	pool := seen.Get(nodePool(f))
	if pool == nil {
		return wait(nodePool(f), "it does not exist yet")
	}
	have, want := number(pool, "status", "replicas"), number(pool, "spec", "replicas")
	if have != want {
		return known(wait(nodePool(f), count(int(have), "worker")+" of "+count(int(want), "worker")), trouble.WorkersMissing)
	}
	for _, name := range []string{"Ready", "AllMachinesReady", "AllNodesHealthy"} {
		c := crd.ConditionOf(pool, name)
		if want == 0 && (c == nil || c.Reason == "AsExpected") {
			continue // an empty pool says False, and means it well
		}
		if v, ok := awaited(nodePool(f), pool, name); !ok {
			return known(v, trouble.WorkersMissing)
		}
	}
	u := seen.Get(hostedClusterRef(f))
	newest := newestRollout(u)
	if newest.state != "Completed" {
		return s.partial(f, u, newest.state)
	}
	if newest.image != text(u, "spec", "release", "image") && newest.version != f.Release.Version {
		return s.former(f, u, newest)
	}
	return done("%s completed with %s", newest.version, count(int(number(pool, "status", "replicas")), "worker"))
}

// rollout is one entry of the hosted cluster's history of versions.
type rollout struct{ state, version, image string }

func newestRollout(u *unstructured.Unstructured) rollout {
	if u == nil {
		return rollout{}
	}
	history, _, _ := unstructured.NestedSlice(u.Object, "status", "version", "history")
	if len(history) == 0 {
		return rollout{}
	}
	entry, ok := history[0].(map[string]any)
	if !ok {
		return rollout{}
	}
	field := func(name string) string {
		s, _ := entry[name].(string)
		return s
	}
	return rollout{field("state"), field("version"), field("image")}
}

// former is the wait after a change of the release: the version that was stays
// Completed until the hosted cluster's version operator begins with the new one.
func (Completed) former(f *labs.Facts, u *unstructured.Unstructured, was rollout) kube.Verdict {
	v := wait(hostedClusterRef(f), "version "+was.version+" Completed, wanted "+f.Release.Version)
	v.Report.Next = onHosted(f, "get clusterversion version -o yaml")
	return blocked(v, u)
}

// partial shows what the hosted cluster's own operators say.
func (Completed) partial(f *labs.Facts, u *unstructured.Unstructured, state string) kube.Verdict {
	ref := hostedClusterRef(f)
	v := wait(ref, "version "+state)
	if state == "" {
		v = wait(ref, "status.version has no history yet")
	}
	for _, name := range []string{"ClusterVersionProgressing", "ClusterVersionFailing", "ClusterVersionSucceeding", "ClusterVersionAvailable", "Degraded"} {
		if c := crd.ConditionOf(u, name); c != nil && c.Message != "" && c.Reason != "AsExpected" {
			v.Report.Lines = append(v.Report.Lines, event.Line{Label: "condition", Text: condition(c)})
		}
	}
	v.Report.Next = onHosted(f, "get clusteroperators")
	if name := namedOperator(v.Report.Lines); name != "" {
		v.Report.Next = onHosted(f, "get clusteroperator "+name+" -o yaml")
	}
	return known(v, partialTrouble(v.Report.Lines))
}

// operatorNamed finds the operator that the version waits for.
var operatorNamed = regexp.MustCompile(`(?i)cluster operator ([a-z0-9-]+) is not available`)

func namedOperator(lines []event.Line) string {
	for _, l := range lines {
		if m := operatorNamed.FindStringSubmatch(l.Text); m != nil {
			return m[1]
		}
	}
	return ""
}

// partialTrouble tells operators that need *.apps from others, by what the
// hosted cluster's version says.
func partialTrouble(lines []event.Line) trouble.ID {
	for _, l := range lines {
		for _, word := range strings.FieldsFunc(l.Text, func(r rune) bool { return !unicode.IsLetter(r) }) {
			if word == "ingress" || word == "console" {
				return trouble.RouterUnreachable
			}
		}
	}
	return trouble.OperatorDegraded
}

// Outputs are what was built.
func (Completed) Outputs(f *labs.Facts, seen kube.Seen) CompletedOutputs {
	return CompletedOutputs{Version: newestRollout(seen.Get(hostedClusterRef(f))).version, Workers: int(number(seen.Get(nodePool(f)), "status", "replicas"))}
}
