package steps

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline/source"
	"github.com/labrun/labrun/redfish"
	"github.com/labrun/labrun/steps/kube"
	"github.com/labrun/labrun/steps/site"
)

// hubPatience bounds what the hub is asked for a pre-flight of the BMCs.
const hubPatience = 5 * time.Second

// AskBMCs asks the BMCs of the named workers, of all where none is named, outside
// of a run. The reports stand in the lab file's order. tell is called after each
// check, one call at a time; it may be nil. Without active they are only read.
func (l *Lab) AskBMCs(ctx context.Context, names []string, active *redfish.Active, tell func(host string, r redfish.Result)) ([]redfish.Report, error) {
	if err := l.KnowsWorkers(names); err != nil {
		return nil, err
	}
	var hosts []labs.Worker
	for _, w := range l.facts.Workers {
		if len(names) == 0 || slices.Contains(names, w.Name) {
			hosts = append(hosts, w)
		}
	}
	missing := l.missing(ctx, hosts)
	s := l.fromHub(ctx)
	s.Hosts = hosts
	if active != nil {
		s.Active, s.Listen = true, cmp.Or(active.Listen, l.facts.Preflight.ImageServer)
	}
	reports, err := s.ask(ctx, l, tell)
	tellMissing(reports, missing)
	return reports, err
}

// missing says why passwords of BMCs are not found, by worker. They are taken as
// empty from here on: this worker's credentials fail, and the others are asked.
func (l *Lab) missing(ctx context.Context, hosts []labs.Worker) map[string]error {
	wrong := map[string]error{}
	for _, w := range hosts {
		ref := w.BMC.Credentials.Password
		if _, err := l.Secret(ctx, ref); err != nil {
			wrong[w.Name] = err
		}
	}
	for _, w := range hosts {
		if wrong[w.Name] != nil {
			_, _ = l.secret(w.BMC.Credentials.Password.String()).get(ctx, func() (labs.Secret, error) { return labs.Secret{}, nil })
		}
	}
	return wrong
}

// tellMissing says of a password that was not found why, instead of that it is
// empty.
func tellMissing(reports []redfish.Report, missing map[string]error) {
	for _, r := range reports {
		for n := range r.Checks {
			if c := &r.Checks[n]; missing[r.Name] != nil && c.ID == "credentials" && c.Status == redfish.Fail {
				c.Seen = strings.ReplaceAll(missing[r.Name].Error(), "\n", "; ")
				c.Remedy = "put the password there, or correct this worker's bmc.credentials.password"
			}
		}
	}
}

// KnowsWorkers refuses a name that no worker of the lab has.
func (l *Lab) KnowsWorkers(names []string) error {
	var known []string
	for _, w := range l.facts.Workers {
		known = append(known, w.Name)
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return &unknownWorker{name, source.DidYouMean(name, known)}
		}
	}
	return nil
}

// fromHub is what a run hands its pre-flight of what the steps openshift/hub-info,
// assisted/infraenv and metal3/image-server have found. What the hub does not
// answer or refuses to tell is not known: it may be yet to be built.
func (l *Lab) fromHub(ctx context.Context) Preflight {
	ctx, cancel := context.WithTimeout(ctx, hubPatience)
	defer cancel()
	look := func(refs ...kube.Ref) kube.Seen {
		hub, err := l.Hub(ctx)
		if err != nil {
			return kube.Seen{}
		}
		seen, err := hub.Look(ctx, refs...)
		if err != nil {
			return kube.Seen{}
		}
		return seen
	}
	image := infraEnv(l.facts)
	image.Optional = true
	hub := HubInfo{}.Outputs(l.facts, look(hosts(l.facts)))
	return Preflight{
		Managed: hub.Hosts, IDs: hub.IDs,
		Image:  InfraEnv{}.Outputs(l.facts, look(image)).ISOURL,
		Server: ImageServer{}.Outputs(l.facts, look(ImageServer{}.Reads(l.facts)...)),
	}
}

// AskSite asks what is no BMC: names, registry, images and the management cluster.
func (l *Lab) AskSite(ctx context.Context, o site.Options) []site.Report {
	o.Overrides = map[string]site.Override{}
	for id, p := range l.facts.Preflight.Checks {
		o.Overrides[id] = site.Override{Severity: severities()[p.Severity], Reason: p.Reason}
	}
	return site.Ask(ctx, site.Site{Facts: l.facts, Kubeconfig: l.Kubeconfig(), Secret: l.Secret, Hub: l.Hub}, o)
}

// unknownWorker is the error of a name that no worker has.
type unknownWorker struct{ name, hint string }

func (e *unknownWorker) Error() string {
	if e.hint == "" {
		return fmt.Sprintf("the lab has no worker %q", e.name)
	}
	return fmt.Sprintf("the lab has no worker %q\n  %s", e.name, e.hint)
}

// ExitCode is the class of wrong usage.
func (*unknownWorker) ExitCode() int { return 2 }
