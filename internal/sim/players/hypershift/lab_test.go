package hypershift

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	stdlog "log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/labrun/labrun/internal/sim/controlplane"
	"github.com/labrun/labrun/internal/sim/controlplane/cptest"
	"github.com/labrun/labrun/internal/sim/players/obj"
	"github.com/labrun/labrun/internal/sim/world"
	"github.com/miekg/dns"
	hyperv1 "github.com/openshift/hypershift/api/hypershift/v1beta1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/log"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

const patience = 2 * time.Minute

// lab is a hub with the player, a hosted API server, a registry and a DNS server.
type lab struct {
	t      *testing.T
	client client.Client
	hosted func() client.Client
	names  *names
	image  string
	ca     string
	refuse *atomic.Bool // the registry refuses every login
}

// component is an image that the lab's release consists of. The registry does not have it.
const component = "quay.io/openshift-release-dev/ocp-v4.0-art-dev@sha256:732112270d7e59418a8c080b134b24cabd67d250d0d0147a97ed95ba5c280aa4"

// names are the records of the lab's DNS server.
type names struct {
	mu   sync.Mutex
	apps netip.Addr
}

func (n *names) point(addr string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.apps = netip.MustParseAddr(addr)
}

// ServeDNS answers every name under apps with one address.
func (n *names) ServeDNS(w dns.ResponseWriter, question *dns.Msg) {
	n.mu.Lock()
	defer n.mu.Unlock()
	answer := new(dns.Msg).SetReply(question)
	if q := question.Question[0]; n.apps.IsValid() && q.Qtype == dns.TypeAAAA && strings.Contains(q.Name, ".apps.") {
		answer.Answer = []dns.RR{&dns.AAAA{Hdr: dns.RR_Header{Name: q.Name, Rrtype: dns.TypeAAAA, Class: dns.ClassINET, Ttl: 1}, AAAA: n.apps.AsSlice()}}
	}
	_ = w.WriteMsg(answer)
}

func serveDNS(t *testing.T, n *names) string {
	t.Helper()
	started := make(chan struct{})
	server := &dns.Server{Addr: "127.0.0.1:0", Net: "udp", Handler: n, NotifyStartedFunc: func() { close(started) }}
	go func() { _ = server.ListenAndServe() }()
	<-started
	t.Cleanup(func() { _ = server.Shutdown() })
	return server.PacketConn.LocalAddr().String()
}

// serveRelease runs a registry with one release and gives its image by digest, and the CA.
func serveRelease(t *testing.T, arch, version string, refuse *atomic.Bool) (image, ca string) {
	t.Helper()
	images := registry.New(registry.Logger(stdlog.New(io.Discard, "", 0)))
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if refuse.Load() {
			http.Error(w, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`, http.StatusUnauthorized)
			return
		}
		images.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	picture, err := random.Image(64, 1)
	if err != nil {
		t.Fatal(err)
	}
	config := &v1.ConfigFile{Architecture: arch, OS: "linux", Config: v1.Config{Labels: map[string]string{versionLabel: version, componentLabel: component}}, RootFS: v1.RootFS{Type: "layers"}}
	if picture, err = mutate.ConfigFile(picture, config); err != nil {
		t.Fatal(err)
	}
	host := strings.TrimPrefix(server.URL, "https://")
	ref, err := name.ParseReference(host + "/openshift/release-images:" + version)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, picture, remote.WithTransport(server.Client().Transport)); err != nil {
		t.Fatal(err)
	}
	digest, err := picture.Digest()
	if err != nil {
		t.Fatal(err)
	}
	ca = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	return host + "/openshift/release-images@" + digest.String(), ca
}

func newLab(t *testing.T, faults world.Faults) *lab {
	t.Helper()
	hub := cptest.ForTest(t, controlplane.Options{CRDs: []string{controlplane.All}, WithControllerManager: true, ReadyIn: 4 * time.Minute})
	site := cptest.ForTest(t, controlplane.Options{CRDs: []string{"openshift"}, Name: "hosted", ReadyIn: 4 * time.Minute})
	l := &lab{t: t, names: &names{}, refuse: &atomic.Bool{}}
	l.image, l.ca = serveRelease(t, "amd64", "4.20.3", l.refuse)
	ctx, cancel := context.WithCancel(context.Background())
	w := &world.World{
		Hub: hub.Config(), Log: slog.New(slog.NewTextHandler(testWriter{t}, nil)),
		Pace: world.Pace{Speed: 600}, Faults: faults, DNS: serveDNS(t, l.names),
		BreakRegistry: func() { l.refuse.Store(true) },
		Hosted: func(context.Context, string) (*world.HostedAPI, error) {
			return &world.HostedAPI{Config: site.Config(), Kubeconfig: []byte("kubeconfig"), Host: "127.0.0.1", Port: 6443}, nil
		},
	}
	l.hosted = func() client.Client {
		s := &sites{world: w}
		c, err := s.client(ctx, "any")
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, hyperv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	log.SetLogger(logr.FromSlogHandler(slog.NewTextHandler(testWriter{t}, nil)))
	skip := true
	mgr, err := ctrl.NewManager(hub.Config(), ctrl.Options{
		Scheme: scheme, Metrics: metricsserver.Options{BindAddress: "0"}, Controller: config.Controller{SkipNameValidation: &skip},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := Player().Setup(mgr, w); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- mgr.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	if l.client, err = client.New(hub.Config(), client.Options{Scheme: scheme}); err != nil {
		t.Fatal(err)
	}
	return l
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	if os.Getenv("LABSIM_TEST_LOG") != "" {
		fmt.Fprint(os.Stderr, string(p))
	}
	return len(p), nil
}

func (l *lab) make(objects ...client.Object) {
	l.t.Helper()
	for _, o := range objects {
		if err := l.client.Create(context.Background(), o); err != nil {
			l.t.Fatalf("creating %s %s: %v", o.GetObjectKind().GroupVersionKind().Kind, o.GetName(), err)
		}
	}
}

// until watches by asking: the object is read until what holds.
func (l *lab) until(c client.Client, o client.Object, what func() bool) {
	l.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := c.Get(context.Background(), client.ObjectKeyFromObject(o), o)
		if err == nil && what() {
			return
		}
		if time.Now().After(deadline) {
			u, _ := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
			l.t.Fatalf("%s never came to what was waited for (%v): %v", o.GetName(), err, u["status"])
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (l *lab) condition(hc *hyperv1.HostedCluster, kind, status string) metav1.Condition {
	l.t.Helper()
	var found metav1.Condition
	l.until(l.client, hc, func() bool {
		for _, c := range hc.Status.Conditions {
			if c.Type == kind && string(c.Status) == status {
				found = c
				return true
			}
		}
		return false
	})
	return found
}

func namespace(name string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
}

func secret(name string, kind corev1.SecretType, key, value string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "clusters", Name: name}, Type: kind, Data: map[string][]byte{key: []byte(value)}}
}

// requirements are what stands beside a HostedCluster that the operator accepts.
func (l *lab) requirements() []client.Object {
	auth := base64.StdEncoding.EncodeToString([]byte("user:password"))
	return []client.Object{
		namespace("hypershift"), namespace("clusters"), namespace("clusters-lab"),
		&appsv1.Deployment{
			ObjectMeta: metav1.ObjectMeta{Namespace: "hypershift", Name: "operator"},
			Spec: appsv1.DeploymentSpec{
				Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "operator"}},
				Template: corev1.PodTemplateSpec{
					ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "operator"}},
					Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "operator", Image: "operator", Args: []string{"run"}}}},
				},
			},
		},
		&storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: "lvms", Annotations: map[string]string{defaultClass: "true"}}, Provisioner: "topolvm.io"},
		secret("pull", corev1.SecretTypeDockerConfigJson, ".dockerconfigjson", `{"auths":{"registry.example":{"auth":"`+auth+`"}}}`),
		secret("ssh", corev1.SecretTypeOpaque, "id_rsa.pub", "ssh-ed25519 AAAA"),
		secret("etcd", corev1.SecretTypeOpaque, "key", "0123456789abcdef0123456789abcdef"),
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "clusters", Name: "user-ca-bundle"}, Data: map[string]string{"ca-bundle.crt": l.ca}},
		&rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: "clusters-lab", Name: capiRole}},
	}
}

func nodePorts() []any {
	var services []any
	for _, s := range []string{"APIServer", "OAuthServer", "Konnectivity", "Ignition"} {
		services = append(services, map[string]any{"service": s, "servicePublishingStrategy": map[string]any{
			"type": "NodePort", "nodePort": map[string]any{"address": "api.lab.example"},
		}})
	}
	return services
}

// cluster is an IPv6 HostedCluster in a disconnected lab: its release stands in the mirror only.
func (l *lab) cluster() *unstructured.Unstructured {
	source := "quay.io/openshift-release-dev/ocp-release"
	mirror, digest, _ := strings.Cut(l.image, "@")
	hc := obj.New(hyperAPI, "HostedCluster", "clusters", "lab")
	hc.Object["spec"] = map[string]any{
		"release":               map[string]any{"image": source + "@" + digest},
		"pullSecret":            map[string]any{"name": "pull"},
		"sshKey":                map[string]any{"name": "ssh"},
		"additionalTrustBundle": map[string]any{"name": "user-ca-bundle"},
		"imageContentSources":   []any{map[string]any{"source": source, "mirrors": []any{mirror}}},
		"platform":              map[string]any{"type": "Agent", "agent": map[string]any{"agentNamespace": "clusters-lab"}},
		"dns":                   map[string]any{"baseDomain": "example.lab"},
		"networking": map[string]any{
			"networkType":    "OVNKubernetes",
			"clusterNetwork": []any{map[string]any{"cidr": "fd03::/48"}},
			"serviceNetwork": []any{map[string]any{"cidr": "fd04::/112"}},
			"machineNetwork": []any{map[string]any{"cidr": "2620:52:0:1305::/64"}},
		},
		"services":                     nodePorts(),
		"controllerAvailabilityPolicy": "SingleReplica",
		"olmCatalogPlacement":          "guest",
		"etcd": map[string]any{"managementType": "Managed", "managed": map[string]any{"storage": map[string]any{
			"type": "PersistentVolume", "persistentVolume": map[string]any{"size": "8Gi"},
		}}},
		"secretEncryption": map[string]any{"type": "aescbc", "aescbc": map[string]any{"activeKey": map[string]any{"name": "etcd"}}},
	}
	return hc
}

func (l *lab) pool(replicas int64) *unstructured.Unstructured {
	p := obj.New(hyperAPI, "NodePool", "clusters", "lab")
	image := obj.String(l.cluster(), "spec", "release", "image")
	p.Object["spec"] = map[string]any{
		"clusterName": "lab", "replicas": replicas, "arch": "amd64", "nodeDrainTimeout": "10m",
		"release":    map[string]any{"image": image},
		"platform":   map[string]any{"type": "Agent", "agent": map[string]any{}},
		"management": map[string]any{"upgradeType": "InPlace", "autoRepair": false},
	}
	return p
}

// pushComponent puts the image that component names into a repository of the registry.
func (l *lab) pushComponent(t *testing.T, repository string) {
	t.Helper()
	_, digest, _ := strings.Cut(component, "@")
	ref, err := name.NewDigest(repository + "@" + digest)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(l.ca))
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	if err := remote.Write(ref, empty.Image, remote.WithTransport(transport)); err != nil {
		t.Fatal(err)
	}
}
