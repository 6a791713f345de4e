package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/labrun/labrun/internal/cli"
	"github.com/labrun/labrun/internal/program"
	"github.com/labrun/labrun/internal/sim/players/obj"
	"github.com/labrun/labrun/internal/sim/players/playtest"
	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/redfish"
	"github.com/labrun/labrun/steps/kube"
)

// wantDestroyed takes a finished lab apart, from a machine that knows nothing of
// its runs, and holds the cluster against what it was.
func (l *lab) wantDestroyed(t *testing.T, before map[string]string) {
	t.Helper()
	client := playtest.Client(t, l.Hub().Config())
	l.wantRefused(t, client)
	strangers := l.strangers(t, client)
	files := l.onlyResults(t)
	l.wantHeld(t, client)
	l.lose(t, client, l.facts.Workers[0].Name)
	o := l.destroy(t).must(t, 0)
	t.Log("destroyed:", o.told())
	wantWhole(t, o)
	if !slices.Contains(o.status(event.Changed), "power_off["+l.facts.Workers[0].Name+"]") {
		t.Errorf("the server that Metal3 left on was not switched off:\n%s", o.err)
	}
	l.wantOff(t)
	for _, file := range files {
		if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v, and its cluster is gone", file, err)
		}
	}

	after := l.hub(t)
	for name, was := range strangers {
		if after[name] != was {
			t.Errorf("%s, which is somebody else's, was\n%s\nand is\n%s", name, was, after[name])
		}
		delete(after, name)
	}
	delete(after, "Namespace /"+l.facts.Hosted.Namespace) // with a stranger in it
	for name := range after {
		if strings.HasPrefix(name, "ConfigMap "+l.facts.Hosted.Namespace+"/kube-root") || strings.HasPrefix(name, "ServiceAccount "+l.facts.Hosted.Namespace+"/default") {
			delete(after, name)
		}
	}
	wantBefore(t, before, after)

	again := l.destroy(t).must(t, 0)
	if changed := again.status(event.Changed); len(changed) > 0 {
		t.Errorf("destroyed again, and changed: %v", changed)
	}
}

// onlyResults removes the lab's state folder but for the files that let somebody into
// the hosted cluster, and names these.
func (l *lab) onlyResults(t *testing.T) []string {
	t.Helper()
	folder := filepath.Join(l.state, l.facts.Name)
	inside, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var kept []string
	for _, d := range inside {
		path := filepath.Join(folder, d.Name())
		if slices.Contains([]string{"kubeconfig", "kubeadmin-password"}, d.Name()) {
			kept = append(kept, path)
		} else if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
	}
	if len(kept) != 2 {
		t.Errorf("the results are %v", kept)
	}
	return kept
}

// wantRefused puts somebody else's object, which has the lab's labels and is in no
// inventory, into the control plane's namespace: nothing is begun.
func (l *lab) wantRefused(t *testing.T, client client.Client) {
	t.Helper()
	alien := stranger(l, "v1", "ConfigMap", l.facts.ControlPlaneNamespace(), "notes")
	create(t, client, alien, "kubectl-create")
	since := len(writes(t, l.Hub()))
	o := l.destroy(t).must(t, 1)
	failed := o.status(event.Failed)
	if !slices.Equal(failed, []string{"survey"}) || !strings.Contains(o.err, "ConfigMap "+alien.GetNamespace()+"/notes") || !strings.Contains(o.err, "kubectl-create") {
		t.Errorf("failed: %v\n%s", failed, o.err)
	}
	listed := l.say(t, 1, "destroy", "--dry-run")
	for _, want := range []string{"refused  ConfigMap " + alien.GetNamespace() + "/notes", "delete   HostedCluster ", "nothing would be begun",
		"delete   ClusterServiceVersion ", l.facts.Workers[0].Name + "'s server would be switched off",
		filepath.Join(l.facts.Name, "kubeadmin-password") + " would be removed"} {
		if !strings.Contains(listed, want) {
			t.Errorf("the dry run does not say %q:\n%s", want, listed)
		}
	}
	for _, w := range writes(t, l.Hub())[since:] {
		if ours(w) && w.Changed && !l.tenure(w) {
			t.Errorf("%s %s %s/%s, and it was refused", w.Verb, w.Resource, w.Namespace, w.Name)
		}
	}
	if err := client.Delete(t.Context(), alien); err != nil {
		t.Fatal(err)
	}
}

// strangers are objects that look like labrun's and are not: one of the lab's labels
// that is in no inventory, and one that stands in the place of the lab's own.
func (l *lab) strangers(t *testing.T, client client.Client) map[string]string {
	t.Helper()
	look := stranger(l, "v1", "ConfigMap", "default", l.facts.Hosted.Name+"-pull-secret")
	place := stranger(l, "v1", "Secret", l.facts.Hosted.Namespace, l.facts.Hosted.Name+"-ssh-key")
	if err := client.Delete(t.Context(), place.DeepCopy()); err != nil {
		t.Fatal(err)
	}
	strangers := map[string]string{}
	for _, u := range []*unstructured.Unstructured{look, place} {
		create(t, client, u, "kubectl-create")
		strangers[name(u)] = whole(t, u)
	}
	return strangers
}

// stranger is an object with the lab's own labels.
func stranger(l *lab, apiVersion, kind, namespace, name string) *unstructured.Unstructured {
	u := obj.New(apiVersion, kind, namespace, name)
	u.SetLabels(map[string]string{kube.LabelLab: l.facts.Name, kube.LabelStep: "ssh_key", kube.LabelManagedBy: "labrun"})
	return u
}

func create(t *testing.T, c client.Client, u *unstructured.Unstructured, by string) {
	t.Helper()
	if err := c.Create(t.Context(), u, client.FieldOwner(by)); err != nil {
		t.Fatal(err)
	}
}

// wantHeld lets a finalizer of nobody's hold what is deleted first: it is named, with
// who put it there, and the undo goes on once it is off.
func (l *lab) wantHeld(t *testing.T, c client.Client) {
	t.Helper()
	imported := obj.New(obj.Cluster, "ManagedCluster", "", l.facts.Hosted.Name)
	imported.SetAnnotations(map[string]string{"open-cluster-management/created-via": "hypershift"})
	imported.SetFinalizers([]string{"example.com/hold"})
	obj.Set(imported, map[string]any{"hubAcceptsClient": true}, "spec")
	create(t, c, imported, "hypershift-addon-agent")
	o := l.destroy(t, "--timeout", "15s").must(t, 1)
	for _, want := range []string{"✗ managed_cluster failed", "ManagedCluster " + l.facts.Hosted.Name + " is being deleted", "since ",
		"finalizer example.com/hold, which hypershift-addon-agent put there"} {
		if !strings.Contains(o.err, want) {
			t.Errorf("it does not say %q:\n%s", want, o.err)
		}
	}
	if failed := o.status(event.Failed); !slices.Equal(failed, []string{"managed_cluster"}) {
		t.Errorf("failed: %v", failed)
	}
	released := imported.DeepCopy()
	released.SetFinalizers(nil)
	if err := c.Patch(t.Context(), released, client.MergeFrom(imported)); err != nil {
		t.Fatal(err)
	}
}

// lose deletes a BareMetalHost behind labrun's back while it is detached: Metal3 lets
// go of the server, which stays on.
func (l *lab) lose(t *testing.T, c client.WithWatch, worker string) {
	t.Helper()
	host := obj.New(obj.Metal3, "BareMetalHost", l.facts.ControlPlaneNamespace(), worker)
	playtest.Until(t, c, host, playtest.Field("detached", "status", "operationalStatus"))
	if err := c.Delete(t.Context(), host); err != nil {
		t.Fatal(err)
	}
	playtest.Gone(t, c, host)
}

// wantOff asks each BMC whether its server is off, with nothing in its drive.
func (l *lab) wantOff(t *testing.T) {
	t.Helper()
	for _, w := range l.overlaid(t).Workers {
		if is := power(t, w); is != "Off" {
			t.Errorf("%s is %s", w.Name, is)
		}
	}
}

// power asks a worker's BMC: On or Off, and what is in its drives.
func power(t *testing.T, w labs.Worker) string {
	t.Helper()
	password, err := os.ReadFile(string(w.BMC.Credentials.Password.File))
	if err != nil {
		t.Fatal(err)
	}
	service, err := redfish.Open(t.Context(), redfish.Host{Name: w.Name, Address: w.BMC.Address, DisableCertificateVerification: true,
		Credentials: redfish.Credentials{Username: w.BMC.Credentials.Username, Password: strings.TrimSpace(string(password))}})
	if err != nil {
		t.Fatal(err)
	}
	state, err := service.Power(t.Context())
	media, err2 := service.Media(t.Context())
	if err := errors.Join(err, err2, service.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	said := string(state)
	for _, m := range media {
		if m.Inserted || m.Image != "" {
			said += ", with " + m.Image + " in " + m.Path
		}
	}
	return said
}

// destroy runs labrun destroy in this process.
func (l *lab) destroy(t *testing.T, more ...string) outcome {
	t.Helper()
	return l.do(t, "destroy", more...)
}

// say runs a command that keeps no journal, and gives what it prints.
func (l *lab) say(t *testing.T, exit int, command string, more ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if code := program.Main(t.Context(), append(l.argsOf(command), more...), cli.Streams{Out: &out, Err: &errs}); code != exit {
		t.Fatalf("%s: exit %d, want %d\n%s\n%s", command, code, exit, errs.String(), out.String())
	}
	return out.String()
}

// hub is the management cluster by kind, namespace and name: what each object
// holds, without what the server keeps about it and what operators report in its
// status. Events and leases say when somebody did something, not what there is.
func (l *lab) hub(t *testing.T) map[string]string {
	t.Helper()
	config := l.Hub().Config()
	config.WarningHandler = rest.NoWarnings{}
	kinds, err := discovery.NewDiscoveryClientForConfigOrDie(config).ServerPreferredResources()
	if err != nil {
		t.Fatal(err)
	}
	client := dynamic.NewForConfigOrDie(config)
	found := map[string]string{}
	for _, group := range kinds {
		gv, err := schema.ParseGroupVersion(group.GroupVersion)
		if err != nil {
			t.Fatal(err)
		}
		for _, kind := range group.APIResources {
			if !slices.Contains(kind.Verbs, "list") || slices.Contains([]string{"Event", "Lease"}, kind.Kind) {
				continue
			}
			list, err := client.Resource(gv.WithResource(kind.Name)).List(t.Context(), meta.ListOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for n := range list.Items {
				u := &list.Items[n]
				found[name(u)] = whole(t, u)
			}
		}
	}
	return found
}

func whole(t *testing.T, u *unstructured.Unstructured) string {
	t.Helper()
	c := u.DeepCopy().Object
	delete(c, "status")
	for _, field := range []string{"managedFields", "resourceVersion", "generation", "creationTimestamp"} {
		unstructured.RemoveNestedField(c, "metadata", field)
	}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// wantBefore holds a cluster against what it was: the same objects, and besides them
// just what docs/lifecycle.md names.
func wantBefore(t *testing.T, before, after map[string]string) {
	t.Helper()
	allowed := remains(t)
	for _, name := range slices.Sorted(maps.Keys(before)) {
		switch now, there := after[name]; {
		case !there:
			t.Errorf("%s is gone", name)
		case now != before[name]:
			t.Errorf("%s was\n%s\nand is\n%s", name, before[name], now)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if _, there := before[name]; !there && !slices.ContainsFunc(allowed, func(r *regexp.Regexp) bool { return r.MatchString(name) }) {
			t.Errorf("%s is left: %s", name, after[name])
		}
	}
}

// remains are the objects that docs/lifecycle.md says are left.
func remains(t *testing.T) []*regexp.Regexp {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "lifecycle.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "### What is left\n")
	if !found {
		t.Fatal("docs/lifecycle.md does not say what is left")
	}
	var all []*regexp.Regexp
	for _, row := range regexp.MustCompile(`(?m)^\| ([A-Z]\w+) \| (\S+) \| .+ \|$`).FindAllStringSubmatch(table, -1) {
		name := strings.ReplaceAll(regexp.QuoteMeta(row[2]), `\*`, ".*")
		all = append(all, regexp.MustCompile(`^`+row[1]+` /?`+name+`$`))
	}
	if len(all) == 0 {
		t.Fatal("docs/lifecycle.md names nothing that is left")
	}
	return all
}
