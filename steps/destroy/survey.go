package destroy

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps/kube"
	"github.com/labrun/labrun/steps/trouble"
)

// Survey reads what is to be removed, and changes nothing.
type Survey struct{ inventoried }

// SurveyOutputs are what the later steps are repeated over.
type SurveyOutputs struct {
	Hosts  []HostOutput `yaml:"hosts" doc:"the BareMetalHosts that the lab made and that are to go"`
	Hosted bool         `yaml:"hosted" doc:"the HostedCluster is to go, or is gone"`
}

// HostOutput is how a host's BMC is reached once its BareMetalHost is gone. It holds
// no secret.
type HostOutput struct {
	Name     string `yaml:"name" json:"name" doc:"name of the BareMetalHost"`
	Address  string `yaml:"address" json:"address" doc:"address of its BMC; empty where somebody else deleted the BareMetalHost"`
	Secret   string `yaml:"secret" json:"secret" doc:"Secret with the BMC's user and password, beside it"`
	Insecure bool   `yaml:"insecure" json:"insecure" doc:"any certificate of the BMC is accepted"`
}

// Reads the hosted cluster's pools, which go with it whoever made them.
func (Survey) Reads(f *labs.Facts) []kube.Ref {
	return []kube.Ref{hostedCluster(f), nodePools(f), planeNamespace(f)}
}

// Surveys the control plane's namespace where it is to go.
func (Survey) Surveys(f *labs.Facts, seen kube.Seen) []string {
	if !goes(f, seen, Items(f.Name, seen)) {
		return nil
	}
	return []string{f.ControlPlaneNamespace()}
}

// goes says whether the control plane's namespace will be deleted: by HyperShift
// with the HostedCluster, or by labrun.
func goes(f *labs.Facts, seen kube.Seen, items []Item) bool {
	if seen.Get(planeNamespace(f)) == nil {
		return false
	}
	for _, ref := range []kube.Ref{hostedCluster(f), planeNamespace(f)} {
		if i, ok := find(items, ref); ok && i.Fate == Doomed {
			return true
		}
	}
	return false
}

// Objects are none.
func (Survey) Objects(*labs.Facts, kube.Seen) ([]kube.Intent, error) { return nil, nil }

// Judge refuses to begin where somebody else's objects would go with the lab's.
func (Survey) Judge(f *labs.Facts, seen kube.Seen) kube.Verdict {
	items := Items(f.Name, seen)
	if others := Victims(f, seen, items); len(others) > 0 {
		return refuse(f, others)
	}
	if unread := Unread(f, seen); len(unread) > 0 {
		return unseen(f, unread)
	}
	v := done("%s", Summary(items))
	for _, i := range items {
		switch {
		case i.Fate == Left:
			v.Warnings = append(v.Warnings, event.Report{Title: i.Ref().String() + " is left: " + i.Why})
		case i.unmade():
			v.Warnings = append(v.Warnings, event.Report{Title: i.Ref().String() + " was about to be made, and is not there: no server is switched off for it",
				Next: "see that the server is off, if an earlier run had it"})
		}
	}
	return v
}

// Victims are other people's objects that would go with the lab's.
func Victims(f *labs.Facts, seen kube.Seen, items []Item) []Other {
	if !goes(f, seen, items) {
		return nil
	}
	others := Others(seen.Contents(f.ControlPlaneNamespace()), items)
	if i, ok := find(items, hostedCluster(f)); !ok || i.Fate != Doomed {
		return others
	}
	for _, u := range seen.List(nodePools(f)) {
		ref := kube.RefTo(u)
		if text(u, "spec", "clusterName") == f.Hosted.Name && !entered(items, ref, string(u.GetUID())) {
			others = append(others, Other{ref, "a NodePool of this lab's HostedCluster, which would go with it"})
		}
	}
	return others
}

func refuse(f *labs.Facts, others []Other) kube.Verdict {
	report := event.Report{Code: string(trouble.OthersInNamespace),
		Title: fmt.Sprintf("%s of somebody else would go with the lab: nothing was begun", count(len(others), "object")),
		Next: fmt.Sprintf("move or delete them (the first: oc get %s), or keep the namespace %s with --from workers",
			kube.GetArguments(others[0].Ref), f.ControlPlaneNamespace())}
	for _, o := range others {
		report.Lines = append(report.Lines, event.Line{Label: "others'", Text: o.Ref.String() + ", " + o.Why})
	}
	return kube.Verdict{State: kube.Failed, Report: report}
}

// Unread is what could not be read of the namespace that would go: it may hold
// anything.
func Unread(f *labs.Facts, seen kube.Seen) []string {
	return seen.Contents(f.ControlPlaneNamespace()).Unread
}

func unseen(f *labs.Facts, unread []string) kube.Verdict {
	namespace := f.ControlPlaneNamespace()
	report := event.Report{Title: fmt.Sprintf("Namespace %s would go with the lab, and may hold objects of somebody else: %s of it could not be read; nothing was begun", namespace, count(len(unread), "part")),
		Next: fmt.Sprintf("give the kubeconfig's user the right to list all kinds of objects in it; where an API does not answer, mend its server (oc get apiservice) or its webhook (oc get crd NAME -o yaml): "+
			"Kubernetes does not end a namespace without it either. Or keep the namespace %s with --from workers", namespace)}
	for _, u := range unread {
		report.Lines = append(report.Lines, event.Line{Label: "unread", Text: u})
	}
	return kube.Verdict{State: kube.Failed, Report: report}
}

// Summary counts what becomes of the items.
func Summary(items []Item) string {
	counts := map[Fate]int{}
	for _, i := range items {
		counts[i.Fate]++
	}
	var parts []string
	for _, f := range []Fate{Doomed, Restored, Released, Left, Kept} {
		if counts[f] > 0 {
			parts = append(parts, fmt.Sprintf("%d to %s", counts[f], f))
		}
	}
	if len(parts) == 0 {
		return "the inventories hold nothing of the lab that is still there"
	}
	return strings.Join(parts, ", ")
}

// Outputs are the hosts, also those that are gone and whose servers nobody has switched
// off yet: an earlier undo did not come to them, or somebody else deleted the host.
func (Survey) Outputs(f *labs.Facts, seen kube.Seen) SurveyOutputs {
	items := Items(f.Name, seen)
	hc, _ := find(items, hostedCluster(f))
	gone := seen.Get(hostedCluster(f)) == nil && hc.Fate != Kept
	out := SurveyOutputs{Hosts: []HostOutput{}, Hosted: hc.Fate == Doomed || gone}
	for _, i := range items {
		if !i.parts() {
			continue
		}
		h := Noted(i.Entry)
		if u := seen.Get(i.Ref()); u != nil {
			h.Address, h.Secret = text(u, "spec", "bmc", "address"), text(u, "spec", "bmc", "credentialsName")
			h.Insecure = flag(u, "spec", "bmc", "disableCertificateVerification")
		}
		out.Hosts = append(out.Hosts, h)
	}
	return out
}

// parts says whether an item is a host whose server is to be switched off.
func (i Item) parts() bool {
	return i.Entry.Kind == "BareMetalHost" && (i.Fate == Doomed || i.Fate == Gone && !i.unmade())
}

// unmade says that labrun never had the host: it is entered before it is made, and was
// then refused, or the run was killed. Whatever server the lab file names is none of
// labrun's.
func (i Item) unmade() bool {
	return i.Entry.Kind == "BareMetalHost" && i.Fate == Gone && i.Entry.UID == "" && len(i.Entry.Note) == 0
}

// Noted is a host as the inventory knows it: with what was entered before it was
// deleted.
func Noted(e kube.Entry) HostOutput {
	h := HostOutput{}
	if len(e.Note) == 0 || json.Unmarshal(e.Note, &h) != nil {
		h = HostOutput{}
	}
	h.Name = e.Name
	return h
}
