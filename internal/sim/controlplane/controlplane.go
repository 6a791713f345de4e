// Package controlplane runs a real Kubernetes API server on loopback: kube-apiserver with an etcd of its own and,
// where asked, kube-controller-manager with the two controllers without which nothing is ever deleted
// (namespaces, garbage collection), and installs the operators' real CustomResourceDefinitions.
//
//	cp, err := controlplane.Start(ctx, controlplane.Options{Dir: dir, Name: "hub", WithControllerManager: true})
//	defer cp.Stop(context.Background())
//	client, err := dynamic.NewForConfig(cp.Config())
//
// Everything it writes stands below Options.Dir; started again with the same folder it has the same objects, but
// another port and other keys. Several control planes share nothing.
package controlplane

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/labrun/labrun/internal/sim/proc"
	"k8s.io/client-go/rest"
)

// Options say what to start.
type Options struct {
	Dir     string        // state folder, made with mode 0700; one for each control plane
	Assets  proc.Assets   // where the programs stand; the zero value looks for the checkout's bin/
	Name    string        // name of cluster, user and context in the kubeconfigs; default "sim"
	Family  Family        // address the API server listens on; default IPv4
	Audit   bool          // log every write with its answer: see Writes
	CRDs    []string      // sets of CustomResourceDefinitions (folders of bin/crds), or All
	ReadyIn time.Duration // how long starting may take; default 5 min: a busy machine is slow

	// WithControllerManager also runs the namespace and garbage-collector controllers. They are started after the
	// definitions are installed: the garbage collector looks for new kinds twice a minute only.
	WithControllerManager bool
}

// Family is the address family of the loopback address that the API server listens on.
type Family string

const (
	IPv4 Family = "ipv4" // 127.0.0.1
	IPv6 Family = "ipv6" // ::1
)

// All, as Options.CRDs, selects every set.
const All = "*"

// ControlPlane is a running API server.
type ControlPlane struct {
	options   Options
	ip        string
	port      int
	keys      *keys
	http      *http.Client    // as administrator, for paths and bytes as they are
	processes []*proc.Process // in the order of their start
	end       context.CancelFunc
	died      context.CancelCauseFunc // ends the start when a program ends
}

// Start starts a control plane and returns when it is ready and its definitions are served. It runs until Stop, or
// until ctx is done.
func Start(ctx context.Context, o Options) (*ControlPlane, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	life, end := context.WithCancel(ctx)
	cp := &ControlPlane{options: o, ip: "127.0.0.1", end: end}
	if o.Family == IPv6 {
		cp.ip = "::1"
	}
	if err := cp.start(life); err != nil {
		err = cp.withReasons(fmt.Errorf("starting the API server %q: %w", o.Name, err))
		_ = cp.Stop(context.WithoutCancel(ctx))
		return nil, err
	}
	return cp, nil
}

// withReasons adds why programs ended by themselves, where err does not say so already.
func (cp *ControlPlane) withReasons(err error) error {
	for _, p := range cp.processes {
		if ended := p.Err(); ended != nil && !errors.Is(err, ended) {
			err = errors.Join(err, ended)
		}
	}
	return err
}

func (o *Options) complete() error {
	if o.Dir == "" {
		return errors.New("starting an API server: no state folder was named")
	}
	var err error
	if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return err
	}
	if o.Assets.Dir == "" {
		if o.Assets, err = proc.FindAssets(""); err != nil {
			return err
		}
	}
	if o.Name == "" {
		o.Name = "sim"
	}
	if o.ReadyIn == 0 {
		o.ReadyIn = 5 * time.Minute
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return err
	}
	return os.Chmod(o.Dir, 0o700)
}

// start brings the parts up one after the other. The programs live as long as life; the start itself has a limit.
func (cp *ControlPlane) start(life context.Context) error {
	ctx, cancel := context.WithTimeout(life, cp.options.ReadyIn)
	defer cancel()
	ctx, cp.died = context.WithCancelCause(ctx)
	defer cp.died(nil)
	definitions, err := ReadCRDs(cp.options.Assets, cp.options.CRDs...)
	if err != nil {
		return err
	}
	if cp.keys, err = newKeys(cp.options.Dir); err != nil {
		return err
	}
	if err := cp.writeAuditPolicy(); err != nil {
		return err
	}
	cp.http = cp.newHTTP()
	if err := cp.startEtcd(life); err != nil {
		return err
	}
	if err := cp.startAPIServer(life, ctx); err != nil {
		return err
	}
	if err := os.WriteFile(cp.KubeconfigPath(), cp.Kubeconfig(), 0o600); err != nil {
		return err
	}
	if err := cp.Install(ctx, definitions...); err != nil {
		return err
	}
	if cp.options.WithControllerManager {
		return cp.startControllerManager(life, ctx)
	}
	return nil
}

// Stop ends the control plane, the last started program first, and leaves its folder. Its error is that of a
// program that had ended by itself.
func (cp *ControlPlane) Stop(ctx context.Context) error {
	var errs []error
	for i := len(cp.processes) - 1; i >= 0; i-- {
		errs = append(errs, cp.processes[i].Stop(ctx))
	}
	cp.end()
	if cp.http != nil {
		cp.http.CloseIdleConnections()
	}
	return errors.Join(errs...)
}

// Err says which program ended by itself, and why. It is nil while all is well.
func (cp *ControlPlane) Err() error {
	var errs []error
	for _, p := range cp.processes {
		errs = append(errs, p.Err())
	}
	return errors.Join(errs...)
}

// URL is where the API server answers, as in https://127.0.0.1:20443 or https://[::1]:20443.
func (cp *ControlPlane) URL() string {
	return "https://" + net.JoinHostPort(cp.ip, strconv.Itoa(cp.port))
}

// Address is the IP address (without brackets) and the port the API server listens on.
func (cp *ControlPlane) Address() (ip string, port int) { return cp.ip, cp.port }

// Dir is the state folder; it holds *.log, the keys, etcd's data and the kubeconfig.
func (cp *ControlPlane) Dir() string { return cp.options.Dir }

// Config connects as an administrator (group system:masters), without a limit on requests a second.
func (cp *ControlPlane) Config() *rest.Config {
	return cp.ConfigFor("admin", "system:masters")
}

// ConfigFor connects as a user of these groups, who may do what RBAC in this cluster says.
func (cp *ControlPlane) ConfigFor(user string, groups ...string) *rest.Config {
	pair := cp.keys.client(user, groups)
	return &rest.Config{
		Host:            cp.URL(),
		QPS:             -1,
		TLSClientConfig: rest.TLSClientConfig{CAData: cp.keys.ca.Cert, CertData: pair.Cert, KeyData: pair.Key},
	}
}
