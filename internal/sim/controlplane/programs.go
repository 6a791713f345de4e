package controlplane

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/labrun/labrun/internal/sim/proc"
)

// etcdSocket is a socket file in the state folder, in which both programs have their working directory: nobody
// but the owner of the folder reaches etcd, no port is taken, and the limit of 107 bytes for a socket's path is
// never met. The form host:port is the one that both accept after unix://.
const (
	etcdSocket = "unix://etcd:1"
	etcdPeer   = "unix://etcd:2"
)

func (cp *ControlPlane) run(life context.Context, program string, args ...string) (*proc.Process, error) {
	path, err := cp.options.Assets.Path(program)
	if err != nil {
		return nil, err
	}
	log := filepath.Join(cp.options.Dir, program+".log")
	if err := os.Remove(log); err != nil && !errors.Is(err, os.ErrNotExist) { // of a start before this one
		return nil, err
	}
	p, err := proc.Start(life, proc.Command{
		Name: program, Path: path, Args: args,
		Dir: cp.options.Dir,
		// An API server that starts collects garbage for a third of its time, if it is let.
		Env: []string{"HOME=" + cp.options.Dir, "TMPDIR=" + cp.options.Dir, "GOGC=400", "GOMEMLIMIT=640MiB"},
		Log: log,
	})
	if err != nil {
		return nil, err
	}
	cp.processes = append(cp.processes, p)
	return p, nil
}

// startEtcd does not wait for etcd: kube-apiserver does. The start ends at once where etcd does.
func (cp *ControlPlane) startEtcd(life context.Context) error {
	p, err := cp.run(life, "etcd",
		"--data-dir=etcd",
		"--listen-client-urls="+etcdSocket, "--advertise-client-urls="+etcdSocket,
		"--listen-peer-urls="+etcdPeer, "--initial-advertise-peer-urls="+etcdPeer,
		"--initial-cluster=default="+etcdPeer,
		"--unsafe-no-fsync", // a lab that loses its machine's power is built again
		"--log-level=warn",
	)
	if err != nil {
		return err
	}
	go func() {
		<-p.Done()
		cp.died(p.Err())
	}()
	return nil
}

// startAPIServer starts it on a free port and waits until it is ready. Where somebody was faster to take the
// port, it tries another one.
func (cp *ControlPlane) startAPIServer(life, ctx context.Context) error {
	for try := 1; ; try++ {
		port, err := proc.FreePort(cp.ip)
		if err != nil {
			return err
		}
		cp.port = port
		p, err := cp.run(life, "kube-apiserver", cp.apiServerArgs()...)
		if err != nil {
			return err
		}
		err = p.Await(ctx, cp.ready)
		if err == nil || try == 3 || !strings.Contains(err.Error(), "address already in use") {
			return err
		}
		cp.processes = cp.processes[:len(cp.processes)-1]
	}
}

func (cp *ControlPlane) apiServerArgs() []string {
	args := []string{
		"--etcd-servers=" + etcdSocket,
		"--bind-address=" + cp.ip, "--advertise-address=" + cp.ip,
		"--secure-port=" + strconv.Itoa(cp.port),
		"--endpoint-reconciler-type=none", // a loopback address is none that an Endpoints object may hold
		"--service-cluster-ip-range=" + cp.serviceRange(),
		"--authorization-mode=RBAC",
		"--disable-admission-plugins=ServiceAccount",
		"--enable-priority-and-fairness=false",
		"--client-ca-file=" + cp.keys.file("ca.crt"),
		"--tls-cert-file=" + cp.keys.file("server.crt"), "--tls-private-key-file=" + cp.keys.file("server.key"),
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + cp.keys.file("accounts.key"),
		"--service-account-signing-key-file=" + cp.keys.file("accounts.key"),
		"--shutdown-delay-duration=0",
	}
	if cp.options.Audit {
		args = append(args, "--audit-policy-file="+cp.auditPolicy(), "--audit-log-path="+cp.auditLog(), "--audit-log-mode=blocking",
			"--audit-log-maxsize=100000") // MB: one that is rotated forgets its first writes
	}
	return args
}

func (cp *ControlPlane) serviceRange() string {
	if cp.options.Family == IPv6 {
		return "fd02::/112"
	}
	return "172.31.0.0/16"
}

// ready asks /readyz, which also covers that RBAC's own roles are there.
func (cp *ControlPlane) ready(ctx context.Context) error {
	_, err := cp.ask(ctx, http.MethodGet, "/readyz", nil)
	return err
}

// startControllerManager runs the two controllers without which a deleted namespace stays for ever and no owned
// object is collected. It has no port: it is ready when it has taken up its work, of which its log tells.
func (cp *ControlPlane) startControllerManager(life, ctx context.Context) error {
	kubeconfig := filepath.Join(cp.options.Dir, "controller-manager.kubeconfig")
	if err := os.WriteFile(kubeconfig, cp.KubeconfigFor("system:kube-controller-manager", "system:masters"), 0o600); err != nil {
		return err
	}
	p, err := cp.run(life, "kube-controller-manager",
		"--kubeconfig="+kubeconfig,
		"--controllers=namespace-controller,garbage-collector-controller",
		"--leader-elect=false",
		"--secure-port=0",
		"--kube-api-qps=500", "--kube-api-burst=500",
		"--concurrent-namespace-syncs=20",
	)
	if err != nil {
		return err
	}
	return p.Await(ctx, func(context.Context) error {
		said, err := os.ReadFile(p.Log())
		if err == nil && !strings.Contains(string(said), `"garbage-collector-controller"`) {
			err = errors.New("its log names no garbage collector yet")
		}
		return err
	})
}
