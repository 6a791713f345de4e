// Package world is what the simulated operators (players) share of the machine
// that they run on: the hub's API server, the clock's speed, the failures asked
// for, the machines in the rack, and the servers beside the cluster.
//
// A player is one small controller. It sees the hub through its API server only,
// as its real operator does, and judges what it finds there by the rules of that
// operator; it never reads a label or an annotation of labrun's.
package world

import (
	"context"
	"log/slog"
	"time"

	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
)

// Player is one simulated operator.
type Player struct {
	Name  string // as in --without NAME
	Plays string // the real operator that it stands for, in one line
	Setup func(mgr ctrl.Manager, w *World) error
}

// World is handed to every player at its set-up. It is not changed afterwards.
type World struct {
	Hub    *rest.Config // administrator of the simulated management cluster
	Log    *slog.Logger
	Pace   Pace
	Faults Faults

	// Playing are the names of the players that play here.
	Playing []string

	// Machines are the servers in the rack, by BMC system UUID. A player that
	// stands for an operator does not read them: only the machines themselves do
	// (their disks, memory and interfaces become an Agent's inventory).
	Machines []Machine

	// Hosted starts (once) the API server of a hosted cluster and gives its
	// administrator; namespace is the hosted control plane's.
	Hosted func(ctx context.Context, namespace string) (*HostedAPI, error)

	// Images answers image requests: assisted-service's image service. The URL
	// that it gives serves a discovery ISO that carries the InfraEnv's id.
	Images ImageService

	// Ironic is where the simulated Ironic serves boot images to BMCs,
	// "http://127.0.0.1:6180" or in brackets for IPv6.
	Ironic BootServer

	// BreakBMC breaks the BMC at root ("https://[::1]:9000") as failure bmh-registration asks:
	// its password is changed. Where it is nil, Metal3's player answers 401 in the BMC's place.
	BreakBMC func(ctx context.Context, root string) error

	// BreakRegistry lets the lab's registry refuse every login from then on, as failure registry-auth asks.
	BreakRegistry func()

	DNS      string // host:port of the lab's DNS server
	Registry string // host:port of the lab's mirror registry, "" in a connected lab
}

// Pace turns a real operator's duration into the simulated lab's.
type Pace struct {
	Speed  float64                  // 60 makes a minute a second
	Delays map[string]time.Duration // --delay NAME=DURATION: taken as it is
}

// Delay is how long the stage called name lasts here, where the real one lasts d.
func (p Pace) Delay(name string, d time.Duration) time.Duration {
	if set, ok := p.Delays[name]; ok {
		return set
	}
	if p.Speed <= 0 {
		return d
	}
	return time.Duration(float64(d) / p.Speed)
}

// Faults are the failures asked for with --fail.
type Faults map[string]bool

// On says whether the failure called name was asked for.
func (f Faults) On(name string) bool { return f[name] }

// Machine is one server of the rack, as its firmware and disks are.
type Machine struct {
	Name     string // of the worker in the lab file; used in logs only
	UUID     string // system UUID: the Agent's name
	MAC      string
	BMC      string // base URL of its Redfish service, https://[::1]:9000
	Insecure bool   // the BMC's certificate is not verified
	User     string
	Password string
	IPs      []string // addresses with prefix length, "2620:52:0:1305::5/64"
	Cores    int64
	MemoryGB int64
	DiskGB   []int64
	NVMe     bool // its disks are /dev/nvme0n1 and so on, and not /dev/sda
}

// HostedAPI is the API server of one hosted cluster.
type HostedAPI struct {
	Config     *rest.Config
	Kubeconfig []byte // an administrator's, as HyperShift publishes it
	Host       string
	Port       int32
}

// ImageService serves discovery ISOs.
type ImageService interface {
	// Discovery registers an InfraEnv and gives the URL of its ISO.
	Discovery(infraEnvID, version, arch string) (url string)
}

// BootServer serves boot images to BMCs, as Ironic's conductor does.
type BootServer interface {
	// Serve fetches the image at url (HEAD, then GET, as Ironic does) and gives
	// the URL at which BMCs fetch it. A bad answer is an error with its status.
	Serve(ctx context.Context, url, node string) (bootURL string, err error)
	Remove(node string)
}
