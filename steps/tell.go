package steps

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps/crd"
	"github.com/labrun/labrun/steps/kube"
	"github.com/labrun/labrun/steps/trouble"
)

// what names an object as people do: Kind namespace/name.
func what(ref kube.Ref) string {
	if ref.Namespace == "" {
		return ref.Kind + " " + ref.Name
	}
	return ref.Kind + " " + ref.Namespace + "/" + ref.Name
}

// report begins a report with a title and one labelled line, "it said" or "seen".
func report(title, label, text, next string) event.Report {
	r := event.Report{Title: title, Next: next}
	if text != "" {
		r.Lines = append(r.Lines, event.Line{Label: label, Text: text})
	}
	return r
}

// wait says what a verdict waits for.
func wait(ref kube.Ref, seen string) kube.Verdict {
	return kube.Verdict{Report: report(what(ref), "seen", seen, look(ref))}
}

// fail ends a wait with a trouble of the catalogue: why says what is wrong, said
// is the operator's own text.
func fail(ref kube.Ref, id trouble.ID, why, said, next string) kube.Verdict {
	return kube.Verdict{State: kube.Failed, Report: coded(report(what(ref)+" "+why, "it said", said, next), id)}
}

// known names the trouble that a wait is stuck in, as far as can be seen: where
// the step's time ends, it is what is told.
func known(v kube.Verdict, id trouble.ID) kube.Verdict {
	v.Report = coded(v.Report, id)
	return v
}

// coded marks a report as one of the catalogue's.
func coded(r event.Report, id trouble.ID) event.Report {
	r.Code = string(id)
	return r
}

func done(format string, args ...any) kube.Verdict {
	return kube.Verdict{State: kube.Done, Summary: fmt.Sprintf(format, args...)}
}

// look is the command that shows an object.
func look(ref kube.Ref) string {
	return "oc get " + strings.TrimSpace(kube.GetArguments(ref)) + " -o yaml"
}

// onHosted is a command line for the hosted cluster, whose kubeconfig HyperShift
// keeps on the hub.
func onHosted(f *labs.Facts, command string) string {
	secret := kubeconfigSecret(f)
	return fmt.Sprintf("oc extract -n %s secret/%s --keys=kubeconfig --to=- > hosted.kubeconfig && oc --kubeconfig hosted.kubeconfig %s", secret.Namespace, secret.Name, command)
}

// condition tells a condition: Available is False (WaitingForX): text.
func condition(c *crd.Condition) string {
	s := fmt.Sprintf("%s is %s", c.Type, c.Status)
	if c.Reason != "" {
		s += " (" + c.Reason + ")"
	}
	if c.Message != "" {
		s += ": " + c.Message
	}
	return s
}

// awaited judges one condition that must become True.
func awaited(ref kube.Ref, u *unstructured.Unstructured, conditionType string) (kube.Verdict, bool) {
	if u == nil {
		return wait(ref, "it does not exist yet"), false
	}
	c := crd.ConditionOf(u, conditionType)
	switch {
	case c.Is("True") && stale(u, c):
		return outdated(ref, u, c), false
	case c.Is("True"):
		return kube.Verdict{}, true
	}
	return pending(ref, conditionType, c), false
}

// stale says that a condition was judged before the object was last changed.
func stale(u *unstructured.Unstructured, c *crd.Condition) bool {
	return c.ObservedGeneration != 0 && c.ObservedGeneration < u.GetGeneration()
}

// outdated waits until the operator has seen the newest generation.
func outdated(ref kube.Ref, u *unstructured.Unstructured, c *crd.Condition) kube.Verdict {
	return wait(ref, fmt.Sprintf("%s is of generation %d, the object is at %d: its operator has not seen the change yet", condition(c), c.ObservedGeneration, u.GetGeneration()))
}

// pending says that a condition is not yet what it must become.
func pending(ref kube.Ref, conditionType string, c *crd.Condition) kube.Verdict {
	if c == nil {
		return wait(ref, "no condition "+conditionType+" yet")
	}
	v := wait(ref, condition(c))
	v.Report.Lines = append(v.Report.Lines, sinceLine(c)...)
	return v
}

func sinceLine(c *crd.Condition) []event.Line {
	if c.LastTransitionTime.IsZero() {
		return nil
	}
	return []event.Line{{Label: "since", Text: c.LastTransitionTime.UTC().Format("15:04:05")}}
}

// stuck judges a condition that its operator re-tests: it is terminal only where
// it has stood at this status, for the object's current generation, for grace,
// counted from when the step began where it stood before: what it complains of
// may be mended, and its operator has yet to see it. One that does not say since
// when is never terminal: the step's timeout ends it.
func stuck(ref kube.Ref, u *unstructured.Unstructured, c *crd.Condition, seen kube.Seen, grace time.Duration, id trouble.ID, next string) kube.Verdict {
	if stale(u, c) {
		return outdated(ref, u, c)
	}
	v := known(pending(ref, c.Type, c), id)
	since := c.LastTransitionTime.Time
	if since.Before(seen.Began) {
		since = seen.Began
	}
	switch {
	case grace == 0:
	case c.LastTransitionTime.IsZero():
		return v
	case seen.Now.Sub(since) < grace:
		v.Recheck = since.Add(grace)
		return v
	}
	v = fail(ref, id, "has "+c.Type+" "+c.Status+reasonOf(c), c.Message, next)
	v.Report.Lines = append(v.Report.Lines, sinceLine(c)...)
	return v
}

func reasonOf(c *crd.Condition) string {
	if c.Reason == "" {
		return ""
	}
	return " (" + c.Reason + ")"
}
