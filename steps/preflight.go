package steps

import (
	"context"
	"fmt"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/redfish"
)

// Preflight asks every worker's BMC whether it can do what the lab needs of it.
// It only reads, unless it is told to be active.
type Preflight struct {
	Hosts   []labs.Worker      `yaml:"hosts" doc:"workers whose BMCs are asked"`
	Managed []string           `yaml:"managed,omitempty" doc:"workers that have their BareMetalHost already: powered on, and this lab's image in the drive, are right there, and they count as usable whatever is found"`
	IDs     map[string]string  `yaml:"ids,omitempty" doc:"Ironic's id of each of them that has one, by worker: it names the image that their BMCs have in the drive"`
	Image   string             `yaml:"image,omitempty" doc:"URL of the discovery image, where it is known"`
	Server  ImageServerOutputs `yaml:"server,omitempty" doc:"from where BMCs fetch that image: outputs of metal3/image-server; where it is not known, what depends on it is not judged"`
	Require labs.Required      `yaml:"require" default:"all" doc:"how many workers must pass"`
	Active  bool               `yaml:"active" default:"false" doc:"also put a small image into each BMC's virtual drive, see it fetched, set the boot override, and undo both; managed workers are only read"`
	Listen  string             `yaml:"image_server,omitempty" doc:"with active: HOST or HOST:PORT of this machine at which the BMCs fetch that image; empty: its address on the route to each BMC"`
	Told    []string           `yaml:"told,omitempty" doc:"warnings that an earlier pre-flight of this run has told: they are not told again"`
}

// PreflightOutputs is what the BMCs can do.
type PreflightOutputs struct {
	Usable   []string `yaml:"usable" doc:"workers that can be used, in the lab file's order"`
	Failed   []string `yaml:"failed" doc:"workers that cannot, in the lab file's order"`
	Warnings []string `yaml:"warnings" doc:"worker: what was seen, in the lab file's order"`
}

// Summary counts.
func (o PreflightOutputs) Summary() string {
	s := fmt.Sprintf("%d of %s", len(o.Usable), count(len(o.Usable)+len(o.Failed), "worker"))
	switch len(o.Warnings) {
	case 0:
		return s
	case 1:
		return s + ", 1 warning (" + o.Warnings[0] + ")"
	}
	return s + fmt.Sprintf(", %d warnings (%s, …)", len(o.Warnings), o.Warnings[0])
}

// Run asks all BMCs side by side.
func (s Preflight) Run(ctx context.Context, env *Env) (PreflightOutputs, error) {
	reports, err := s.ask(ctx, env.Lab, s.following(ctx, env))
	if err != nil {
		return PreflightOutputs{}, err
	}
	out := sortReports(reports, s.Managed)
	required := s.Require.Of(len(s.Hosts))
	enough := len(out.Usable) >= required
	s.warn(env, reports, enough)
	if !enough {
		return out, unusable(out, reports, required)
	}
	return out, nil
}

// ask asks all BMCs.
func (s Preflight) ask(ctx context.Context, l *Lab, progress func(string, redfish.Result)) ([]redfish.Report, error) {
	hosts := make([]redfish.Host, len(s.Hosts))
	roots := trustedPool(l.facts.Registry.CA.Text) // one for all: what tells two services apart is its address
	for i, w := range s.Hosts {
		h, err := s.host(ctx, l, w, roots)
		if err != nil {
			return nil, err
		}
		hosts[i] = h
	}
	var active *redfish.Active
	if s.Active {
		active = &redfish.Active{Listen: s.Listen}
	}
	reports := redfish.Preflight(ctx, hosts, redfish.Options{
		Network: lookupNetwork(l.facts.Stack), Resolver: resolverOf(l.facts.DNS.Server), Now: l.Now, Progress: progress,
		Overrides: overrides(l.facts.Preflight.Checks), Active: active,
	})
	l.count(reports)
	return reports, context.Cause(ctx)
}
