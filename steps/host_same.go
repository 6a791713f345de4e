package steps

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps/crd"
	"github.com/labrun/labrun/steps/destroy"
	"github.com/labrun/labrun/steps/kube"
	"github.com/labrun/labrun/steps/trouble"
)

// unlike is a fact of a worker in which its BareMetalHost is another server, and that
// Metal3 lets nobody change.
type unlike struct{ fact, what, there, file string }

// unlikes are those of a host that is there. A BMC may have moved while Metal3 does not
// look at the host, or has not come to know it yet; a boot MAC never changes.
func unlikes(w labs.Worker, host *crd.BareMetalHost) []unlike {
	var found []unlike
	if there := host.Spec.BootMACAddress; there != "" && there != string(w.BootMAC) {
		found = append(found, unlike{"boot_mac", "boot MAC", there, string(w.BootMAC)})
	}
	free := host.Status.OperationalStatus == "detached" || host.Status.Provisioning.State == "registering"
	if there := host.Spec.BMC.Address; there != "" && there != w.BMC.Address && (!free || len(found) > 0) {
		found = append(found, unlike{"bmc.address", "BMC", there, w.BMC.Address})
	}
	return found
}

// replaceBy is the command that puts another server into a worker's place.
func replaceBy(worker string) string {
	return "labrun rebuild LAB --worker " + worker + " takes that server out and this one in"
}

// same refuses a worker whose host is another server.
func (s Host) same(f *labs.Facts, seen kube.Seen) error {
	ref := hostRef(f, s.Worker.Name)
	host := kube.As[crd.BareMetalHost](seen, ref)
	if host == nil || host.DeletionTimestamp != nil {
		return nil
	}
	found := unlikes(s.Worker, host)
	if len(found) == 0 {
		return nil
	}
	told := event.Report{Code: string(trouble.HostReplaced), Title: what(ref) + " is another server than the lab file's worker", Next: replaceBy(s.Worker.Name)}
	for _, u := range found {
		told.Title += fmt.Sprintf(", %s %s there and %s in the file", u.what, u.there, u.file)
	}
	return &pipeline.Report{Report: told}
}

// hostsLimit bounds the look at the hosts before a run.
const hostsLimit = 5 * time.Second

// otherServers says which workers of the lab file are other servers than their
// BareMetalHosts, before anything is changed. Where the cluster cannot be asked, their
// steps will say it.
func (l *Lab) otherServers(ctx context.Context) []pipeline.FactProblem {
	ctx, cancel := context.WithTimeout(ctx, hostsLimit)
	defer cancel()
	hub, err := l.Hub(ctx)
	if err != nil {
		return nil
	}
	seen, err := hub.Look(ctx, hosts(l.facts))
	if err != nil {
		return nil
	}
	var problems []pipeline.FactProblem
	for _, u := range seen.List(hosts(l.facts)) {
		host := kube.Convert[crd.BareMetalHost](u)
		if host == nil || host.DeletionTimestamp != nil || l.goes(host.Labels) {
			continue
		}
		for n, w := range l.facts.Workers {
			if w.Name != host.Name {
				continue
			}
			for _, d := range unlikes(w, host) {
				problems = append(problems, pipeline.FactProblem{
					Path:    fmt.Sprintf("workers[%d].%s", n, d.fact),
					Message: fmt.Sprintf("BareMetalHost %s/%s has another %s, %s: it is another server, and Metal3 does not change it", host.Namespace, host.Name, d.what, d.there),
					Hint:    replaceBy(w.Name)})
			}
		}
	}
	return append(problems, l.leftOn(ctx, hub)...)
}

// leftOn says which workers of the lab file are to take the place of a server that an
// undo, which was cut off, has not switched off yet: a run would lose sight of it.
func (l *Lab) leftOn(ctx context.Context, hub *kube.Cluster) []pipeline.FactProblem {
	entries, err := hub.Entries(ctx, l.facts.Name)
	if err != nil {
		return nil
	}
	var problems []pipeline.FactProblem
	for _, e := range entries {
		h := destroy.Noted(e)
		if e.Kind != "BareMetalHost" || !replaced(l.facts, h) || l.opts.Keeps != nil && l.Keeps(e) == "" {
			continue
		}
		n := slices.IndexFunc(l.facts.Workers, func(w labs.Worker) bool { return w.Name == h.Name })
		problems = append(problems, pipeline.FactProblem{
			Path:    fmt.Sprintf("workers[%d].bmc.address", n),
			Message: fmt.Sprintf("the server that %s was, %s, has not been switched off yet: an undo that took it out did not come to its end", h.Name, h.Address),
			Hint:    "labrun destroy LAB --worker " + h.Name + " goes on with it"})
	}
	return problems
}

// goes says whether an object is taken away before the lab is built.
func (l *Lab) goes(labels map[string]string) bool {
	return l.opts.Keeps != nil && l.opts.Keeps(labels[kube.LabelStep], labels[kube.LabelKey]) == ""
}
