package steps

import (
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/redfish"
	"github.com/labrun/labrun/steps/trouble"
)

// Preflight asks every worker's BMC whether it can do what the lab needs of it.
// It only reads.
type Preflight struct {
	Hosts   []labs.Worker `yaml:"hosts" doc:"workers whose BMCs are asked"`
	Managed []string      `yaml:"managed,omitempty" doc:"workers that have their BareMetalHost already: powered on, and this lab's image in the drive, are right there"`
	Image   string        `yaml:"image,omitempty" doc:"URL of the discovery image, where it is known"`
	Require int           `yaml:"require,omitempty" doc:"how many workers must pass; all where absent"`
}

// PreflightOutputs is what the BMCs can do.
type PreflightOutputs struct {
	Usable   []string `yaml:"usable" doc:"workers that can be used, in the lab file's order"`
	Failed   []string `yaml:"failed" doc:"workers that cannot"`
	Warnings []string `yaml:"warnings" doc:"worker: what was seen"`
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
	required := s.required()
	enough := len(out.Usable) >= required
	for _, r := range reports {
		warn(env, r, enough)
	}
	if !enough {
		return out, unusable(out, reports, required)
	}
	return out, nil
}

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
	reports := redfish.Preflight(ctx, hosts, redfish.Options{Image: s.Image, Network: lookupNetwork(l.facts.Stack), Resolver: resolverOf(l.facts.DNS.Server), Now: l.Now, Progress: progress})
	l.count(reports)
	return reports, context.Cause(ctx)
}

func (s Preflight) required() int {
	if s.Require > 0 {
		return s.Require
	}
	return len(s.Hosts)
}

func (s Preflight) host(ctx context.Context, l *Lab, w labs.Worker, roots *x509.CertPool) (redfish.Host, error) {
	password, err := l.Secret(ctx, w.BMC.Credentials.Password)
	if err != nil {
		return redfish.Host{}, fmt.Errorf("BMC of %s: %w", w.Name, err)
	}
	return redfish.Host{
		Name: w.Name, Address: w.BMC.Address, BootMAC: string(w.BootMAC), BootMode: w.BootMode,
		Credentials:                    redfish.Credentials{Username: w.BMC.Credentials.Username, Password: strings.TrimRight(password.Reveal(), "\r\n")},
		DisableCertificateVerification: w.BMC.DisableCertificateVerification,
		RootCAs:                        roots,
		Managed:                        slices.Contains(s.Managed, w.Name),
		Image:                          s.Image,
	}, nil
}

// trustedPool is the system's certificates and the lab's own.
func trustedPool(pem string) *x509.CertPool {
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	pool.AppendCertsFromPEM([]byte(pem))
	return pool
}

// lookupNetwork is the family in which a BMC's name must resolve.
func lookupNetwork(stack labs.Stack) string {
	switch stack {
	case labs.IPv4:
		return "ip4"
	case labs.IPv6:
		return "ip6"
	}
	return "ip"
}

// count adds to the requests that a run tells at its end.
func (l *Lab) count(reports []redfish.Report) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range reports {
		l.redfish += r.Requests
	}
}

// sortReports parts the workers. A worker that has its host already counts as
// usable: a pre-flight never scales a lab down.
func sortReports(reports []redfish.Report, managed []string) PreflightOutputs {
	out := PreflightOutputs{Usable: []string{}, Failed: []string{}, Warnings: []string{}}
	for _, r := range reports {
		kept := slices.Contains(managed, r.Name)
		if r.Usable() || kept {
			out.Usable = append(out.Usable, r.Name)
		} else {
			out.Failed = append(out.Failed, r.Name)
		}
		for _, c := range r.Checks {
			if c.Status == redfish.Warn || c.Status == redfish.Fail && kept {
				out.Warnings = append(out.Warnings, r.Name+": "+c.Seen)
			}
		}
	}
	return out
}

// warn tells what a step that does not fail would otherwise keep to itself: with
// failures, also why a worker cannot be used.
func warn(env *Env, r redfish.Report, failures bool) {
	for _, c := range r.Checks {
		if c.Status == redfish.Warn || c.Status == redfish.Fail && failures {
			env.Scope().Warn(report(r.Name+" "+c.ID, "seen", c.Seen, c.Remedy))
		}
	}
}

// PreflightFailed is the error of a pre-flight that found a fatal problem.
type PreflightFailed struct{ *pipeline.Report }

// ExitCode is the program's, where this ended the run.
func (PreflightFailed) ExitCode() int { return pipeline.ExitPreflight }

func unusable(out PreflightOutputs, reports []redfish.Report, required int) error {
	r := event.Report{
		Code:  string(trouble.PreflightFailed),
		Title: fmt.Sprintf("%d of %s can be used, %d needed", len(out.Usable), count(len(reports), "worker"), required),
		Next:  "labrun preflight LAB --host " + strings.Join(out.Failed, " --host "),
	}
	for _, one := range reports {
		for _, c := range one.Checks {
			if c.Status != redfish.Fail {
				continue
			}
			r.Lines = append(r.Lines, event.Line{Label: one.Name, Text: c.ID + ": " + c.Seen})
			if c.Remedy != "" {
				r.Lines = append(r.Lines, event.Line{Label: "do", Text: c.Remedy})
			}
		}
	}
	return PreflightFailed{&pipeline.Report{Report: r}}
}
