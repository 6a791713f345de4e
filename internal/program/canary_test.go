package program

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
	clientapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/labrun/labrun/internal/canary"
	"github.com/labrun/labrun/internal/cli"
	"github.com/labrun/labrun/internal/sim/pki"
)

// The secrets of the lab of this test; none is anybody's. The decoys are texts that
// labrun cannot know for secrets: wherever one is found, a secret would have been.
const (
	longWord = "correcthorsebatterystaple-kite-9217"
	sixOnes  = "qzxwvk"
	oddSigns = `pa"ss\wörd <&'%41+ n€w`
	inPull   = "wick-et-gate-77"
	token    = "plover.nests-in.shingle-4410"
	decoy    = "not-one-of-the-labs-" + `"own"\sécrets`
)

// echo is what a careless server says: all secrets, in every way that one could
// have come by.
func echo(secrets map[string]string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		value := secrets[name]
		quoted, err := json.Marshal(map[string]string{"password": value})
		if err != nil {
			panic(err)
		}
		basic := base64.StdEncoding.EncodeToString([]byte("admin:" + value))
		all = append(all, fmt.Sprintf("invalid value %q, refused %s, Authorization: Basic %s, data: {%s: %s}, plain %s", value, quoted, basic, name,
			base64.StdEncoding.EncodeToString([]byte(value)), value))
	}
	return strings.Join(all, " | ")
}

// carelessServer is an API server and a BMC that denies whatever it is asked, and
// says all that it should not.
func carelessServer(t *testing.T, secrets map[string]string) *httptest.Server {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		said := "admission webhook \"deny.lab\" denied the request: " + echo(secrets)
		body := map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": 403, "message": said}
		code := http.StatusForbidden
		if strings.HasPrefix(r.URL.Path, "/redfish/") {
			body = map[string]any{"error": map[string]any{"code": "Base.1.0.GeneralError", "message": said,
				"@Message.ExtendedInfo": []any{map[string]any{"MessageId": "Base.1.0.InsufficientPrivilege", "Message": said}}}}
			code = http.StatusBadRequest
		}
		if strings.HasSuffix(r.URL.Path, "/redfish/v1/") || strings.HasSuffix(r.URL.Path, "/redfish/v1") {
			body = map[string]any{"@odata.id": "/redfish/v1/", "RedfishVersion": "1.6.0", "Vendor": said, "Product": said, "Systems": map[string]any{"@odata.id": "/redfish/v1/Systems"}}
			code = http.StatusOK
		}
		if served := discovery(r.URL.Path); served != nil {
			body, code = served, http.StatusOK
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(body)
	}))
	t.Cleanup(server.Close)
	return server
}

// discovery says what the API server serves, nil for another path.
func discovery(path string) map[string]any {
	resource := func(name, kind string) map[string]any {
		return map[string]any{"name": name, "kind": kind, "namespaced": kind != "Namespace", "verbs": []string{"get", "list", "watch", "create", "patch", "update"}}
	}
	switch path {
	case "/api":
		return map[string]any{"kind": "APIVersions", "versions": []string{"v1"}}
	case "/apis":
		return map[string]any{"kind": "APIGroupList", "apiVersion": "v1", "groups": []any{}}
	case "/api/v1":
		return map[string]any{"kind": "APIResourceList", "groupVersion": "v1",
			"resources": []any{resource("configmaps", "ConfigMap"), resource("secrets", "Secret"), resource("namespaces", "Namespace")}}
	}
	return nil
}

// careless is a lab whose servers and programs repeat its secrets.
type careless struct {
	dir, state string
	known      canary.Cage
	decoys     canary.Cage
}

func newCareless(t *testing.T) *careless {
	t.Helper()
	l := &careless{dir: t.TempDir(), state: t.TempDir()}
	authority, err := pki.New("careless")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := authority.Client("admin")
	if err != nil {
		t.Fatal(err)
	}
	secrets := map[string]string{"word": longWord, "six": sixOnes, "signs": oddSigns, "login": inPull, "token": token, "key": string(pair.Key)}
	for name, value := range secrets {
		l.known.Put(name, value)
	}
	l.decoys.Put("decoy", decoy)
	secrets["decoy"] = decoy
	pull := fmt.Sprintf(`{"auths":{"registry.lab.example:5000":{"auth":%q,"password":%q}}}`, base64.StdEncoding.EncodeToString([]byte("lab:"+inPull)), inPull)
	server := carelessServer(t, secrets)
	config := clientapi.NewConfig()
	config.Clusters["hub"] = &clientapi.Cluster{Server: server.URL, InsecureSkipTLSVerify: true}
	config.AuthInfos["admin"] = &clientapi.AuthInfo{ClientCertificateData: pair.Cert, ClientKeyData: pair.Key, Token: token}
	config.Contexts["hub"] = &clientapi.Context{Cluster: "hub", AuthInfo: "admin"}
	config.CurrentContext = "hub"
	kubeconfig, err := clientcmd.Write(*config)
	if err != nil {
		t.Fatal(err)
	}
	sound, err := os.ReadFile("../../testdata/mistakes/labs/ipv6.yaml")
	if err != nil {
		t.Fatal(err)
	}
	facts, _, _ := strings.Cut(string(sound), "\ninclude:")
	facts = strings.NewReplacer(
		"redfish-virtualmedia+https://[2620:52:0:1305::1]:9000", "redfish-virtualmedia+"+server.URL,
		"password: {file: bmc-password}}\n    - name: worker1", "password: {file: bmc-password}}\n        disable_certificate_verification: true\n    - name: worker1",
		"    ca: {file: ca.pem}", "    ca: {file: ca.pem}\n    credentials: {command: [cat, login]}").Replace(facts)
	facts = strings.TrimSuffix(facts, "{username: admin, password: {file: bmc-password}}") +
		"{username: admin, password: {env: LABRUN_CANARY}}\n        disable_certificate_verification: true"
	for name, text := range map[string]string{"lab.yaml": facts + carelessSteps, "pull-secret.json": pull, "bmc-password": sixOnes + "\n",
		"login": "lab:" + longWord + "\n", "hub.kubeconfig": string(kubeconfig), "key.pem": string(pair.Key), "decoy": decoy} {
		if err := os.WriteFile(filepath.Join(l.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"ca.pem", "id.pub"} {
		text, err := os.ReadFile("../../testdata/mistakes/site/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(l.dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(l.dir, "seen"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("LABRUN_CANARY", oddSigns)
	return l
}

const carelessSteps = `
phases: [one, two]
steps:
  - {id: apply, phase: one, needs: [], uses: hypershift/pull-secret, timeout: 20s}
  - {id: denied, phase: one, needs: [], uses: k8s/apply, timeout: 20s, with: {manifest: {apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: b}, data: {a: '` + longWord + " " + decoy + `'}}}}
  - {id: bmcs, phase: one, needs: [], uses: redfish/preflight, timeout: 20s, with: {hosts: "${{ lab.workers }}"}}
  - {id: prints, phase: one, needs: [], uses: exec, with: {shell: "cat pull-secret.json login decoy; env | grep CANARY; base64 decoy; base64 key.pem; cat key.pem; cat seen"}}
  - {id: complains, phase: one, needs: [], uses: exec, with: {shell: "(cat pull-secret.json; echo; cat login bmc-password decoy; echo; env | grep CANARY; base64 login; base64 -w0 decoy; echo; cat key.pem) >&2; exit 3"}}
  - {id: argument, phase: one, needs: [prints], uses: exec, with: {command: [echo, "${{ steps.prints.outputs.stdout }}"]}}
`

// run runs one command of labrun on it.
func (l *careless) run(t *testing.T, args ...string) (out, errs string, code int) {
	t.Helper()
	var o, e bytes.Buffer
	code = Main(t.Context(), args, cli.Streams{Out: &o, Err: &e})
	return o.String(), e.String(), code
}

// TestCanaries lets everything that labrun talks to repeat the secrets of the lab,
// and looks for them wherever labrun wrote, and in the arguments of what it started.
// That each place was looked at is proven by the decoy: what labrun cannot know for
// a secret was told there in the same breath.
func TestCanaries(t *testing.T) {
	l := newCareless(t)
	t.Chdir(l.dir)
	sinks := map[string]string{} // what was written, by place

	ctx, stop := context.WithCancel(t.Context())
	var arguments strings.Builder
	var once sync.Once
	var watching sync.WaitGroup
	watching.Go(func() {
		err := canary.Watch(ctx, os.Getpid(), func(_ int, args []byte) {
			arguments.Write(append(args, '\n'))
			if string(args) == "cat seen " { // the step goes on once it was seen
				once.Do(func() {
					if err := os.WriteFile("seen", []byte("ok\n"), 0o600); err != nil {
						t.Error(err)
					}
				})
			}
		})
		if err != nil {
			t.Error(err)
		}
	})
	out, errs, code := l.run(t, "run", "lab.yaml", "--state-dir", l.state)
	stop()
	watching.Wait()
	if code == 0 {
		t.Fatalf("the run went well\n%s\n%s", out, errs)
	}
	sinks["progress of run"], sinks["closing of run"] = errs, out
	if !strings.Contains(arguments.String(), "cat seen") {
		t.Errorf("no child was seen: %q", arguments.String())
	}
	if !strings.Contains(errs, "holds a secret of the lab") {
		t.Errorf("an argument that holds a secret was not refused:\n%s", errs)
	}
	for name, args := range map[string][]string{
		"status": {"status", "lab.yaml", "--state-dir", l.state}, "status -o json": {"status", "lab.yaml", "--state-dir", l.state, "-o", "json"},
		"preflight": {"preflight", "lab.yaml"}, "preflight -o json": {"preflight", "lab.yaml", "-o", "json"},
		"plan": {"plan", "lab.yaml", "--state-dir", l.state}, "plan -o json": {"plan", "lab.yaml", "--state-dir", l.state, "-o", "json"},
		"render": {"render", "lab.yaml"}, "render -o FILE": {"render", "lab.yaml", "-o", filepath.Join(l.state, "rendered.yaml")},
		"validate": {"validate", "lab.yaml"}, "an error of no run": {"run", "lab.yaml", "--state-dir", filepath.Join(l.dir, "decoy")},
	} {
		out, errs, _ := l.run(t, args...)
		sinks[name] = out + errs
	}
	if err := os.WriteFile("again", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	stream, errs, _ := l.run(t, "run", "lab.yaml", "--state-dir", l.state, "-o", "json", "--only", "apply,denied,bmcs,complains")
	sinks["run -o json"], sinks["progress of run -o json"] = stream, errs
	for n, line := range strings.Split(strings.TrimSpace(stream), "\n") {
		if !json.Valid([]byte(line)) {
			t.Errorf("line %d of the stream is no JSON: %s", n+1, line)
		}
	}

	for place, text := range sinks {
		if found := l.known.In([]byte(text)); len(found) > 0 {
			t.Errorf("%s tells %v:\n%s", place, found, text)
		}
	}
	if found := l.known.In([]byte(arguments.String())); len(found) > 0 {
		t.Errorf("arguments of children hold %v", found)
	}
	files, err := l.known.Walk(l.state, nil)
	if err != nil || len(files) > 0 {
		t.Errorf("files hold secrets: %v, %v", files, err)
	}
	l.wantDecoys(t, sinks)
}

// TestCanariesOfADestroy does so with what takes the lab apart, which needs none of the
// secrets: they are masked all the same. The registry's login is in a file here: one that
// a command prints is not asked for.
func TestCanariesOfADestroy(t *testing.T) {
	l := newCareless(t)
	t.Chdir(l.dir)
	text, err := os.ReadFile("lab.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.Replace(text, []byte("{command: [cat, login]}"), []byte("{file: login}"), 1)
	if err := os.WriteFile("lab.yaml", text, 0o600); err != nil {
		t.Fatal(err)
	}
	const address = "127.0.0.1" // of the BMCs, and a password that would mask it
	if err := os.WriteFile("bmc-password", []byte(address+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var known canary.Cage
	for name, value := range map[string]string{"word": longWord, "signs": oddSigns, "login": inPull, "token": token} {
		known.Put(name, value)
	}
	for name, args := range map[string][]string{
		"destroy": {}, "destroy --from": {"--from", "two"}, "destroy -o json": {"-o", "json"}, "destroy --dry-run": {"--dry-run"}, "destroy --orphans --dry-run": {"--orphans", "--dry-run"},
	} {
		out, errs, code := l.run(t, append([]string{"destroy", "lab.yaml", "--state-dir", l.state}, args...)...)
		if code != 1 || len(l.decoys.In([]byte(out+errs))) == 0 {
			t.Errorf("%s: exit code %d, and nothing of what was said is told:\n%s\n%s", name, code, out, errs)
		}
		if found := known.In([]byte(out + errs)); len(found) > 0 {
			t.Errorf("%s tells %v:\n%s\n%s", name, found, out, errs)
		}
		if !slices.Contains(args, "--dry-run") && !strings.Contains(out+errs, "hub https://"+address) {
			t.Errorf("%s masks what the facts name:\n%s\n%s", name, out, errs)
		}
	}
	files, err := known.Walk(l.state, nil)
	if err != nil || len(files) > 0 {
		t.Errorf("files hold secrets: %v, %v", files, err)
	}
	if files, err = l.decoys.Walk(l.state, nil); err != nil || len(files["sound/1/journal.jsonl"]) == 0 || len(files["sound/1/survey/why.md"]) == 0 {
		t.Errorf("journal and evidence tell nothing of what was said; %v do, %v", files, err)
	}
}

// wantDecoys proves that the places were looked at.
func (l *careless) wantDecoys(t *testing.T, sinks map[string]string) {
	t.Helper()
	for _, place := range []string{"progress of run", "run -o json", "progress of run -o json", "status", "status -o json", "preflight", "preflight -o json", "render"} {
		if len(l.decoys.In([]byte(sinks[place]))) == 0 {
			t.Errorf("%s tells nothing of what was said: it is no place to look at:\n%s", place, sinks[place])
		}
	}
	files, err := l.decoys.Walk(l.state, nil)
	if err != nil {
		t.Fatal(err)
	}
	found := slices.Sorted(maps.Keys(files))
	for _, want := range []string{"sound/1/journal.jsonl", "sound/1/apply/why.md", "sound/1/complains/why.md", "sound/1/denied/why.md", "sound/2/journal.jsonl", "rendered.yaml"} {
		if !slices.Contains(found, want) {
			t.Errorf("%s tells nothing of what was said; %v do", want, found)
		}
	}
}
