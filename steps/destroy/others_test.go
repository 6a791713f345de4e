package destroy

import (
	"strings"
	"testing"
	"time"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/labrun/labrun/steps/kube"
)

// A namespace of which something could not be read is not deleted: somebody else's
// objects may be there. Nothing is begun, or it is left, and the command can be run again.
func TestUnreadNamespace(t *testing.T) {
	f := facts()
	plane := object("v1", "Namespace", "", f.ControlPlaneNamespace(), "plane", labelled(lab))
	notes := content("ConfigMap", "notes", "kubectl-create", nil)
	for _, c := range []struct {
		name   string
		inside kube.Contents
		state  kube.State
		says   string // "" where the namespace goes
	}{
		{"all was read", kube.Contents{}, kube.Done, ""},
		{"a kind could not be listed", kube.Contents{Unread: []string{"configmaps: no right"}}, kube.Failed, "configmaps: no right"},
		{"no kind is known", kube.Contents{Unread: []string{"API groups: no right"}}, kube.Failed, "API groups: no right"},
		{"others' objects, and unread", kube.Contents{Objects: []meta.PartialObjectMetadata{notes}, Unread: []string{"x"}}, kube.Failed, "ConfigMap plane/notes"},
	} {
		seen := sees(nil, plane).WithContents(map[string]kube.Contents{f.ControlPlaneNamespace(): c.inside})
		v := Survey{}.Judge(f, seen)
		told := v.Report.Title + v.Report.Next
		for _, line := range v.Report.Lines {
			told += "\n" + line.Text
		}
		if v.State != c.state || !strings.Contains(told, c.says) || c.says != "" && !strings.Contains(told, "--from workers") {
			t.Errorf("%s: the survey says %+v", c.name, v)
		}
		intents, err := Namespace{}.Objects(f, seen)
		if v := (Namespace{}).Judge(f, seen); err != nil || len(intents) > 0 != (c.says == "") || c.says != "" && (len(v.Warnings) != 1 || !strings.Contains(v.Warnings[0].Title, c.says)) {
			t.Errorf("%s: %+v, %v, the namespace says %+v", c.name, intents, err, v)
		}
	}
}

// So it is with a namespace that labs share: it stays in the inventory, and goes the
// next time.
func TestUnreadSharedNamespace(t *testing.T) {
	u := object("v1", "Namespace", "", "mce", "1", used(lab))
	e := entryOf(u)
	e.UID, e.Lab = "1", lab
	ref := kube.RefTo(u)
	for _, c := range []struct {
		name   string
		inside kube.Contents
		want   []kube.How
		warns  string
	}{
		{"all was read", kube.Contents{}, []kube.How{kube.Delete}, "is there again"},
		{"a kind could not be listed", kube.Contents{Unread: []string{"configmaps: no right"}}, nil, "configmaps: no right"},
		{"somebody else's Subscription", kube.Contents{Objects: []meta.PartialObjectMetadata{content("Subscription", "theirs", "kubectl-create", nil)}},
			[]kube.How{kube.Restore, kube.Forget}, "Subscription plane/theirs is in it"},
	} {
		seen := kube.NewSeen(time.Unix(0, 0), map[kube.Ref][]*unstructured.Unstructured{ref: {u}}, nil).
			WithEntries(nil, []kube.Entry{e}).WithContents(map[string]kube.Contents{"mce": c.inside})
		step := HubObjects{Kinds: []string{"Namespace"}}
		intents, err := step.Objects(facts(), seen)
		var got []kube.How
		for _, i := range intents {
			got = append(got, i.How)
		}
		v := step.Judge(facts(), seen)
		if err != nil || len(got) != len(c.want) || len(got) > 0 && got[0] != c.want[0] {
			t.Errorf("%s: %v, %v, want %v", c.name, got, err, c.want)
		}
		if v.State != kube.Done || len(v.Warnings) != 1 || !strings.Contains(v.Warnings[0].Title, c.warns) {
			t.Errorf("%s: it says %+v", c.name, v)
		}
	}
}

func content(kind, name, manager string, change func(*meta.PartialObjectMetadata)) meta.PartialObjectMetadata {
	o := meta.PartialObjectMetadata{TypeMeta: meta.TypeMeta{APIVersion: "v1", Kind: kind},
		ObjectMeta: meta.ObjectMeta{Namespace: "plane", Name: name, UID: types.UID(kind + name),
			ManagedFields: []meta.ManagedFieldsEntry{
				{Manager: manager, Time: &meta.Time{Time: time.Unix(300, 0)}}, // as the server does it: renewed by its latest write
				{Manager: "later", Time: &meta.Time{Time: time.Unix(200, 0)}},
				{Manager: "kubectl", Subresource: "status", Time: &meta.Time{Time: time.Unix(50, 0)}},
			}}}
	if change != nil {
		change(&o)
	}
	return o
}

func TestOthers(t *testing.T) {
	items := []Item{{Fate: Doomed, UID: "Secretbmc", Entry: kube.Entry{APIVersion: "v1", Kind: "Secret", Namespace: "plane", Name: "bmc"}},
		{Fate: Left, UID: "BareMetalHostw1", Entry: kube.Entry{APIVersion: "v1", Kind: "BareMetalHost", Namespace: "plane", Name: "w1", UID: "old"}},
		{Fate: Doomed, UID: "Roleworkers", Entry: kube.Entry{APIVersion: "rbac.authorization.k8s.io/v1", Kind: "Role", Namespace: "plane", Name: "workers"}},
		{Fate: Released, UID: "Subscriptionmce", Entry: kube.Entry{APIVersion: olm, Kind: "Subscription", Namespace: "plane", Name: "mce"}}}
	label := func(of string) func(*meta.PartialObjectMetadata) {
		return func(o *meta.PartialObjectMetadata) { o.Labels = map[string]string{kube.LabelLab: of} }
	}
	by := func(managers ...string) func(*meta.PartialObjectMetadata) {
		return func(o *meta.PartialObjectMetadata) {
			o.ManagedFields = nil
			for n, m := range managers {
				o.ManagedFields = append(o.ManagedFields, meta.ManagedFieldsEntry{Manager: m, Time: &meta.Time{Time: time.Unix(int64(n), 0)}})
			}
		}
	}
	for _, c := range []struct {
		what  string
		o     meta.PartialObjectMetadata
		wants string // "" for nobody's
	}{
		{"the lab's own", content("Secret", "bmc", "labrun/night/host", label(lab)), ""},
		{"an operator's", content("Secret", "pull-secret", "hypershift-operator-manager", nil), ""},
		{"owned by another object", content("Secret", "x", "kubectl-create", func(o *meta.PartialObjectMetadata) {
			o.OwnerReferences = []meta.OwnerReference{{Kind: "HostedControlPlane"}}
		}), ""},
		{"the cluster's own", content("ConfigMap", "kube-root-ca.crt", "kubectl-create", nil), ""},
		{"a service account's token", content("Secret", "default-token", "kubectl-create", func(o *meta.PartialObjectMetadata) {
			o.Annotations = map[string]string{"kubernetes.io/service-account.name": "default"}
		}), ""},
		{"a person's", content("ConfigMap", "notes", "kubectl-client-side-apply", nil), "made by kubectl-client-side-apply"},
		{"made in the console", content("ConfigMap", "notes", "Mozilla", nil), "made by Mozilla"},
		{"with the lab's label, made by a person", content("ConfigMap", "notes", "oc", label(lab)), "its label says lab night"},
		{"another lab's", content("Secret", "bmc2", "labrun/day/host", label("day")), "made by labrun/day/host"},
		{"this lab's, and lost from its inventory", content("Secret", "bmc2", "labrun/night/host", label(lab)), "not in this lab's inventory"},
		{"a host that no operator makes", content("BareMetalHost", "w9", "some-controller", nil), "made by some-controller"},
		{"the lab's Role, in OpenShift's own group", content("Role", "workers", "labrun/night/role", func(o *meta.PartialObjectMetadata) {
			o.APIVersion = "authorization.openshift.io/v1"
		}), ""},
		{"labrun's own Subscription", content("Subscription", "mce", "labrun/night/mce_operator", nil), ""},
		{"what OLM installs of a Subscription", content("InstallPlan", "install-x", "catalog", func(o *meta.PartialObjectMetadata) {
			o.OwnerReferences = []meta.OwnerReference{{Kind: "Subscription"}}
		}), ""},
		{"the operator that OLM installed", content("ClusterServiceVersion", "mce.v2", "catalog", func(o *meta.PartialObjectMetadata) {
			o.Labels = map[string]string{"operators.coreos.com/mce.plane": ""}
		}), ""},
		{"the condition of that operator", content("OperatorCondition", "mce.v2", "olm", func(o *meta.PartialObjectMetadata) {
			o.OwnerReferences = []meta.OwnerReference{{Kind: "ClusterServiceVersion"}}
		}), ""},
		{"an operator of all namespaces, shown by OLM", content("ClusterServiceVersion", "gitops.v1", "kubectl-edit", func(o *meta.PartialObjectMetadata) {
			o.Labels = map[string]string{"olm.copiedFrom": "openshift-operators"}
		}), ""},
		{"what an operator depends on", content("Subscription", "dependency", "catalog", by("catalog", "olm")), ""},
		{"a person's Subscription", content("Subscription", "theirs", "kubectl-client-side-apply", nil), "made by kubectl-client-side-apply"},
		{"a policy's Subscription", content("Subscription", "theirs", "config-policy-controller", nil), "made by config-policy-controller"},
		{"a person's catalog", content("CatalogSource", "theirs", "Mozilla", nil), "made by Mozilla"},
		{"what a person subscribed to, and OLM writes, too", content("Subscription", "theirs", "", by("catalog", "olm", "kubectl-create")), "made by kubectl-create"},
		{"what a policy subscribed to, and OLM writes, too", content("Subscription", "theirs", "", by("catalog", "config-policy-controller")), "made by catalog or config-policy-controller"},
		{"a person's, applied again after a controller wrote it", content("PersistentVolumeClaim", "data", "", by("kube-controller-manager", "kubectl-client-side-apply")), "made by kubectl-client-side-apply"},
		{"a controller's, which a person edited", content("PersistentVolumeClaim", "data-etcd-0", "", by("kubectl-edit", "kube-controller-manager")), ""},
		{"an operator's, which a person restarted", content("Deployment", "etcd-operator", "", by("kubectl-rollout", "hypershift-operator-manager")), ""},
		{"an operator's, which labrun changed", content("Machine", "m1", "", by("labrun/night/take_out", "cluster-api")), ""},
		{"an Agent, approved by patch, and written since", content("Agent", "a", "", by("kubectl-patch", "assisted-service")), ""},
		{"an Agent, approved in the console", content("Agent", "a", "", by("Mozilla", "assisted-service")), ""},
		{"an Agent, approved by a playbook", content("Agent", "a", "", by("OpenAPI-Generator", "assisted-service")), ""},
		{"an Agent that nobody but a person wrote", content("Agent", "a", "", by("kubectl-create")), "made by kubectl-create"},
		{"replaced, maybe by force", content("ConfigMap", "notes", "", by("kubectl-replace", "some-controller")), "made by kubectl-replace"},
		{"what nobody but an editor wrote", content("ConfigMap", "notes", "", by("kubectl-edit", "kubectl-label", "kubectl-edit")), "made by kubectl-edit or kubectl-label"},
		{"Argo CD's", content("ConfigMap", "notes", "", by("argocd-controller", "some-controller")), "made by argocd-controller"},
		{"Terraform's", content("ConfigMap", "notes", "", by("some-controller", "Terraform")), "made by Terraform"},
		{"another lab's, which a controller writes, too", content("PersistentVolumeClaim", "data", "", func(o *meta.PartialObjectMetadata) {
			by("kube-controller-manager", "labrun/day/disk")(o)
			label("day")(o)
		}), "made by labrun/day/disk, and not in this lab's inventory"},
		{"without a word of who wrote it", content("ConfigMap", "notes", "", by()), "made by somebody unknown"},
		{"a tag of an image stream, which is judged itself", content("ImageStreamTag", "a:1", "", by()), ""},
		{"a host in the place of the lab's", content("BareMetalHost", "w1", "some-controller", nil), "made by some-controller"},
	} {
		got := Others(kube.Contents{Objects: []meta.PartialObjectMetadata{c.o}}, items)
		switch {
		case c.wants == "" && len(got) > 0:
			t.Errorf("%s is %+v", c.what, got)
		case c.wants != "" && (len(got) != 1 || !strings.Contains(got[0].Why, c.wants) || got[0].Ref.Name != c.o.Name):
			t.Errorf("%s is %+v, want %q", c.what, got, c.wants)
		}
	}
}

// OpenShift shows one object in two groups, of which either may not tell who wrote it.
func TestOthersShownTwice(t *testing.T) {
	shown := func(manager string) []meta.PartialObjectMetadata {
		plain, other := content("Role", "x", manager, nil), content("Role", "x", manager, nil)
		other.APIVersion, other.ManagedFields = "authorization.openshift.io/v1", nil
		return []meta.PartialObjectMetadata{other, plain}
	}
	if got := Others(kube.Contents{Objects: shown("hypershift-operator-manager")}, nil); len(got) > 0 {
		t.Errorf("an operator's: %+v", got)
	}
	if got := Others(kube.Contents{Objects: shown("kubectl-create")}, nil); len(got) != 2 || got[0].Why != "made by kubectl-create" {
		t.Errorf("a person's: %+v", got)
	}
}
