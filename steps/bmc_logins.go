package steps

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/redfish"
	"github.com/labrun/labrun/steps/destroy"
	"github.com/labrun/labrun/steps/kube"
)

// BMCLogins reads how the BMCs are reached while their BareMetalHosts are there: a
// host's Secret goes with it, and its server has yet to be seen off. What it reads
// is held in memory, for PowerOff alone.
type BMCLogins struct {
	Hosts []destroy.HostOutput `yaml:"hosts" doc:"the hosts that are to go"`
}

// BMCLoginsOutputs count them.
type BMCLoginsOutputs struct {
	Known int `yaml:"known" doc:"number of hosts whose BMC can be reached"`
	Of    int `yaml:"of" doc:"number of hosts"`
}

// Summary tells how many.
func (o BMCLoginsOutputs) Summary() string {
	return fmt.Sprintf("%d of %s", o.Known, count(o.Of, "login"))
}

// Run keeps what it finds. What it does not find is told when the server's turn comes.
func (s BMCLogins) Run(ctx context.Context, env *Env) (BMCLoginsOutputs, error) {
	out := BMCLoginsOutputs{Of: len(s.Hosts)}
	for _, h := range s.Hosts {
		host, err := bmcOf(ctx, env, h)
		if err != nil {
			return out, err
		}
		if host != nil {
			env.keepLogin(*host)
			out.Known++
		}
	}
	return out, nil
}

// bmcOf is how the BMC of a host that goes is reached, nil where nobody knows.
func bmcOf(ctx context.Context, env *Env, h destroy.HostOutput) (*redfish.Host, error) {
	if !replaced(env.facts, h) {
		if host, err := workerBMC(ctx, env, h.Name); host != nil && err == nil {
			return host, nil
		}
	}
	// From another machine than the one that built the lab, its file names no password
	// that can be read here, and a server that was replaced is in no file any more: the
	// host's own Secret has its login.
	return hostBMC(ctx, env, h)
}

// replaced says whether the lab file's worker of a host's name is another server by
// now: that one is not switched off.
func replaced(f *labs.Facts, h destroy.HostOutput) bool {
	return h.Address != "" && slices.ContainsFunc(f.Workers, func(w labs.Worker) bool { return w.Name == h.Name && w.BMC.Address != h.Address })
}

// workerBMC is how a worker's BMC is reached as the lab file says, nil where it has
// no such worker.
func workerBMC(ctx context.Context, env *Env, name string) (*redfish.Host, error) {
	n := slices.IndexFunc(env.facts.Workers, func(w labs.Worker) bool { return w.Name == name })
	if n < 0 {
		return nil, nil
	}
	host, err := Preflight{}.host(ctx, env.Lab, env.facts.Workers[n], trustedPool(env.facts.Registry.CA.Text))
	if err != nil {
		return nil, err
	}
	return &host, nil
}

// hostBMC is how a host's BMC is reached as its BareMetalHost and the Secret beside it
// say, nil where one of them is gone.
func hostBMC(ctx context.Context, env *Env, h destroy.HostOutput) (*redfish.Host, error) {
	if h.Address == "" {
		return nil, nil
	}
	hub, err := env.Hub(ctx)
	if err != nil {
		return nil, err
	}
	u, err := hub.Get(ctx, secretRef(env.facts.ControlPlaneNamespace(), h.Secret))
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	login := kube.Convert[corev1.Secret](u)
	if login == nil {
		return nil, nil
	}
	env.opts.Conceal(string(login.Data["password"]))
	return &redfish.Host{Name: h.Name, Address: h.Address, RootCAs: trustedPool(env.facts.Registry.CA.Text), DisableCertificateVerification: h.Insecure,
		Credentials: redfish.Credentials{Username: string(login.Data["username"]), Password: string(login.Data["password"])}}, nil
}

// keepLogin holds in memory how a BMC is reached.
func (l *Lab) keepLogin(h redfish.Host) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.logins[h.Name] = h
}

func (l *Lab) login(name string) *redfish.Host {
	l.mu.Lock()
	defer l.mu.Unlock()
	if h, ok := l.logins[name]; ok {
		return &h
	}
	return nil
}
