package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/labrun/labrun/pipeline/event"
)

// A boundary is a moment of a run at which it is killed: a request that changes
// something, before the API server gets it or once the server has done it and the
// answer has not come back, or the end of a step. Each has a name that is the same
// in every run.
//
// cut kills labrun at its boundaries. It stands between labrun and the API server,
// and reads the event stream.
type cut struct {
	server *httptest.Server
	doing  []string // the command that is killed, with flags; nil: run

	mu     sync.Mutex
	seen   map[string]bool        // boundaries that were reached
	wanted func(name string) bool // at which boundaries a run is killed when they are reached first; nil: at all
	run    *os.Process            // of the run that goes on, nil for none
	at     string                 // where it was killed
	passed []string               // boundaries of this run, in order
}

// newCut makes a way to the lab's API server that can be cut.
func newCut(t *testing.T, l *lab) *cut {
	t.Helper()
	config := l.Hub().Config()
	config.WarningHandler = rest.NoWarnings{}
	transport, err := rest.TransportFor(config)
	if err != nil {
		t.Fatal(err)
	}
	target, err := url.Parse(l.Hub().URL())
	if err != nil {
		t.Fatal(err)
	}
	c := &cut{seen: map[string]bool{}}
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:     transport,
		FlushInterval: -1,
		ErrorHandler:  func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	c.server = httptest.NewServer(c.between(proxy))
	t.Cleanup(c.server.Close)
	api := clientcmdapi.NewConfig()
	api.Clusters["cut"] = &clientcmdapi.Cluster{Server: c.server.URL}
	api.AuthInfos["cut"] = &clientcmdapi.AuthInfo{Token: "Zq7wmt-cut-4xk81pd"}
	api.Contexts["cut"] = &clientcmdapi.Context{Cluster: "cut", AuthInfo: "cut"}
	api.CurrentContext = "cut"
	l.kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*api, l.kubeconfig); err != nil {
		t.Fatal(err)
	}
	return c
}

// between hands requests on, and cuts labrun off at those that are boundaries.
func (c *cut) between(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("Authorization") // the transport has the administrator's certificate
		if r.Method == http.MethodGet || r.URL.Query().Get("dryRun") != "" || strings.HasSuffix(r.URL.Path, "reviews") {
			next.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		name := requestName(r, body)
		if c.reached("before " + name) {
			<-r.Context().Done()
			return
		}
		// What labrun sent is done whether or not it lives to see the answer.
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, r.WithContext(context.WithoutCancel(r.Context())))
		if c.reached("after " + name) {
			<-r.Context().Done()
			return
		}
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
}

// oneSide wants of each request one side, some before and some after it, and all
// other boundaries.
func oneSide(name string) bool {
	side, request, _ := strings.Cut(name, " ")
	if side != "before" && side != "after" {
		return true
	}
	sum := fnv.New32a()
	_, _ = io.WriteString(sum, request)
	return (sum.Sum32()%2 == 0) == (side == "after")
}

// requestName is the same for the same request of another run: without what was
// generated for it.
func requestName(r *http.Request, body []byte) string {
	name := r.Method + " " + r.URL.Path
	if manager := r.URL.Query().Get("fieldManager"); manager != "" {
		name += " by " + manager
	}
	var entered struct{ Data map[string]*string }
	if !strings.Contains(r.URL.Path, "/namespaces/labrun/configmaps") || json.Unmarshal(body, &entered) != nil {
		return name
	}
	for _, key := range slices.Sorted(maps.Keys(entered.Data)) {
		text := entered.Data[key]
		name += " " + key
		if text == nil {
			name += " -"
		} else if strings.Contains(*text, `"uid"`) {
			name += " uid"
		}
	}
	return name
}

// reached notes that a boundary was reached, and says whether the run was killed
// there.
func (c *cut) reached(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.run == nil {
		return true // of a run that is dead already
	}
	c.passed = append(c.passed, name)
	kills := !c.seen[name] && (c.wanted == nil || c.wanted(name))
	c.seen[name] = true
	if kills {
		_ = c.run.Kill()
		c.run, c.at = nil, name
	}
	return kills
}

// now kills the run that goes on, at whatever moment this is.
func (c *cut) now() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.run != nil {
		_ = c.run.Kill()
		c.run, c.at = nil, "a random moment"
	}
}

// once runs labrun until it is killed or ends by itself; killed is the boundary, ""
// where it ended.
func (c *cut) once(t *testing.T, l *lab) (o outcome, killed string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	doing := c.doing
	if doing == nil {
		doing = []string{"run"}
	}
	cmd := process(ctx, slices.Concat(l.argsOf(doing[0]), doing[1:], []string{"-o", "json"})...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	stream, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	c.run, c.at, c.passed = cmd.Process, "", nil
	c.mu.Unlock()
	lines := bufio.NewReader(stream)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			break
		}
		if name := eventName(line); name != "" {
			c.reached(name)
		}
	}
	err = cmd.Wait()
	c.mu.Lock()
	c.run, killed = nil, c.at
	c.mu.Unlock()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	o = outcome{exit: cmd.ProcessState.ExitCode(), err: errs.String()}
	return o, killed
}

// eventName is the boundary that an event is, "" for none: the end of a step that
// ran, and the intent and the end of an effect that does not go by the API server.
func eventName(line []byte) string {
	var e event.Event
	if json.Unmarshal(line, &e) != nil {
		return ""
	}
	switch {
	case e.Type == event.StepFinished && (e.Result.Status == event.OK || e.Result.Status == event.Changed):
		return fmt.Sprintf("end of %s[%s]", e.Step, e.Key)
	case (e.Type == event.Intent || e.Type == event.Done) && slices.Contains([]string{"write", "remove", "power off", "eject"}, e.Effect.Verb):
		return fmt.Sprintf("%s of %s[%s] %s", e.Type, e.Step, e.Key, filepath.Base(e.Effect.Object))
	}
	return ""
}
