package kube

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
)

const (
	eventLimit = 2000    // of a namespace
	logLines   = 2000    // of a container that are looked through
	logBytes   = 4 << 20 // of a container, at most
	tellTale   = 4       // shortest name that is looked for in logs
	lastErrors = 20      // of a container's lines that tell of an error
)

// complaint is a line of a log that tells of an error, in the styles of klog,
// logrus, zap and slog.
var complaint = regexp.MustCompile(`(?i)(^[0-9TZ:.+ -]*E[0-9]{4} |level=(error|fatal)|"level":"(error|fatal)"|\tERROR\t|\berror\b)`)

// keepEvents writes the events about the objects, the newest last.
func (s *sighting) keepEvents(ctx context.Context) error {
	var found []unstructured.Unstructured
	for _, namespace := range s.namespaces() {
		client, err := s.cluster.resource(ctx, Ref{APIVersion: "v1", Kind: "Event", Namespace: namespace})
		if err != nil {
			return fmt.Errorf("reading the events in %s: %w", namespace, err)
		}
		list, err := client.List(ctx, meta.ListOptions{Limit: eventLimit})
		if err != nil {
			return fmt.Errorf("reading the events in %s: %w", namespace, err)
		}
		for _, e := range list.Items {
			kind, _, _ := unstructured.NestedString(e.Object, "involvedObject", "kind")
			name, _, _ := unstructured.NestedString(e.Object, "involvedObject", "name")
			where, _, _ := unstructured.NestedString(e.Object, "involvedObject", "namespace")
			if s.known[kind+" "+where+"/"+name] {
				found = append(found, e)
			}
		}
	}
	if len(found) == 0 {
		return nil
	}
	slices.SortStableFunc(found, func(a, b unstructured.Unstructured) int { return cmp.Compare(when(&a), when(&b)) })
	var text strings.Builder
	for _, e := range found {
		get := func(path ...string) string { s, _, _ := unstructured.NestedString(e.Object, path...); return s }
		times := ""
		if n, _, _ := unstructured.NestedInt64(e.Object, "count"); n > 1 {
			times = fmt.Sprintf(" (%d times)", n)
		}
		fmt.Fprintf(&text, "%s  %-7s  %s  %s %s: %s%s\n", when(&e), get("type"), get("reason"), get("involvedObject", "kind"), get("involvedObject", "name"), strings.TrimSpace(get("message")), times)
	}
	return s.keep("events.txt", []byte(text.String()))
}

func when(e *unstructured.Unstructured) string {
	for _, path := range []string{"lastTimestamp", "eventTime", "firstTimestamp"} {
		if t, _, _ := unstructured.NestedString(e.Object, path); t != "" {
			return t
		}
	}
	return e.GetCreationTimestamp().UTC().Format("2006-01-02T15:04:05Z")
}

// namespaces are those of the objects; events about objects without one stand in
// default.
func (s *sighting) namespaces() []string {
	var all []string
	for _, u := range s.objects {
		namespace := cmp.Or(u.GetNamespace(), "default")
		if !slices.Contains(all, namespace) {
			all = append(all, namespace)
		}
	}
	return all
}

// keepLogs writes what the operators of the objects, and the pods among the
// objects that do not run as they should, logged.
func (s *sighting) keepLogs(ctx context.Context) {
	if s.expert == nil {
		return
	}
	names := s.names()
	var asked []Ref
	for _, u := range slices.Clone(s.objects) {
		for _, ref := range s.expert.Operators(u) {
			if slices.Contains(asked, ref) {
				continue
			}
			asked = append(asked, ref)
			if err := s.view.read(ctx, ref); err != nil {
				s.note(fmt.Errorf("reading the pods of %s: %w", ref.Labels, err))
				continue
			}
			for _, pod := range s.view.now()[ref.key()] {
				s.keepPod(ctx, pod, func(log []byte) []byte { return about(log, names) })
			}
		}
		if u.GetKind() == "Pod" && !runsWell(u) {
			s.keepPod(ctx, u, func(log []byte) []byte { return log })
		}
	}
}

// names are what a log would name the objects by.
func (s *sighting) names() []string {
	var names []string
	for _, u := range s.objects {
		for _, name := range []string{u.GetName(), string(u.GetUID())} {
			if len(name) >= tellTale && !slices.Contains(names, name) && u.GetKind() != "CustomResourceDefinition" {
				names = append(names, name)
			}
		}
	}
	return names
}

// runsWell says whether all containers of a pod are ready, or it has done its work.
func runsWell(pod *unstructured.Unstructured) bool {
	if phase, _, _ := unstructured.NestedString(pod.Object, "status", "phase"); phase == "Succeeded" {
		return true
	}
	conditions, _, _ := unstructured.NestedSlice(pod.Object, "status", "conditions")
	return slices.ContainsFunc(conditions, func(c any) bool {
		m, _ := c.(map[string]any)
		return m["type"] == "Ready" && m["status"] == "True"
	})
}

// keepPod writes what of each container's log is worth it; one that was started
// anew has a log of before.
func (s *sighting) keepPod(ctx context.Context, pod *unstructured.Unstructured, worth func([]byte) []byte) {
	statuses, _, _ := unstructured.NestedSlice(pod.Object, "status", "containerStatuses")
	for _, c := range statuses {
		status, _ := c.(map[string]any)
		name, _ := status["name"].(string)
		if waiting, _, _ := unstructured.NestedMap(status, "state", "waiting"); waiting != nil && fmt.Sprint(status["restartCount"]) == "0" {
			continue // it never ran
		}
		file := "logs/" + pod.GetNamespace() + "." + pod.GetName() + "." + name
		s.keepLog(ctx, pod, name, false, file+".log", worth)
		if restarts, _ := status["restartCount"].(int64); restarts > 0 {
			s.keepLog(ctx, pod, name, true, file+".previous.log", worth)
		}
	}
}

func (s *sighting) keepLog(ctx context.Context, pod *unstructured.Unstructured, container string, previous bool, file string, worth func([]byte) []byte) {
	log, err := s.cluster.podLog(ctx, pod.GetNamespace(), pod.GetName(), container, previous)
	if err != nil {
		s.note(fmt.Errorf("reading the log of %s/%s: %w", pod.GetNamespace(), pod.GetName(), err))
		return
	}
	if text := worth(log); len(text) > 0 {
		s.note(s.keep(file, text))
	}
}

// about leaves the lines of a log that name one of the objects, and the last ones
// that tell of an error.
func about(log []byte, names []string) []byte {
	lines := bytes.Split(bytes.TrimRight(log, "\n"), []byte("\n"))
	kept := make([]bool, len(lines))
	left := lastErrors
	for i, line := range slices.Backward(lines) {
		text := string(line)
		kept[i] = slices.ContainsFunc(names, func(name string) bool { return strings.Contains(text, name) })
		if !kept[i] && left > 0 && complaint.MatchString(text) {
			kept[i] = true
			left--
		}
	}
	var out bytes.Buffer
	for i, line := range lines {
		if kept[i] {
			out.Write(line)
			out.WriteByte('\n')
		}
	}
	return out.Bytes()
}

// podLog reads the end of a container's log.
func (c *Cluster) podLog(ctx context.Context, namespace, pod, container string, previous bool) ([]byte, error) {
	base, _, err := rest.DefaultServerUrlFor(c.config)
	if err != nil {
		return nil, err
	}
	query := url.Values{"container": {container}, "tailLines": {fmt.Sprint(logLines)}, "limitBytes": {fmt.Sprint(logBytes)}, "timestamps": {"true"}}
	if previous {
		query.Set("previous", "true")
	}
	at := base.JoinPath("api/v1/namespaces", namespace, "pods", pod, "log")
	at.RawQuery = query.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return nil, err
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, logBytes))
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		return nil, errors.New(answer.Status)
	}
	return text, nil
}
