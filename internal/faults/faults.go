// Package faults sets up on loopback, one at a time, what goes wrong with BMCs in real labs: the faults for which it is known
// what Metal3 says of them, and when. Tests ask `labrun preflight` about each, and docs/preflight.md sets the answers side by
// side.
package faults

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/redfish/bmctest"
)

// Fault is one thing that is wrong.
type Fault struct {
	ID    string // as a file name
	Title string
	After string // how long Metal3 takes to say so
	Words string // Metal3's errorType and errorMessage; empty where it says nothing
	Area  string // that labrun preflight is asked for

	Active bool // it shows only to the active probe

	set func(l *lab) error
}

// Args are those of labrun that ask about a fault set up in dir.
func (f Fault) Args(dir string) []string {
	args := []string{"preflight", filepath.Join(dir, "lab.yaml"), "--values", filepath.Join(dir, "values.yaml"), "--check", f.Area}
	if f.Active {
		args = append(args, "--active", "--image-server", "127.0.0.1")
	}
	return args
}

// Find gives the fault of an id.
func Find(id string) (Fault, bool) {
	for _, f := range All() {
		if f.ID == id {
			return f, true
		}
	}
	return Fault{}, false
}

// Host and Dir stand in what is told for what is another on every machine. Host has the width of what it stands for, so that
// carets below it are right.
const (
	Host = "192.0.2.17:8000"
	Dir  = "labs"
)

// lab is a lab of two workers: nothing is wrong with worker0, and worker1 is the one that a fault changes.
type lab struct {
	dir    string
	ends   []func()
	bmc    bmctest.Config              // of worker1
	change func(worker map[string]any) // worker1, as the lab file has it
	facts  map[string]any              // more facts
}

const password = "sesame-open-0001"

// Set sets the fault up: its servers, and in dir the files lab.yaml and values.yaml. The caller ends the servers.
func (f Fault) Set(dir string) (ends func(), err error) {
	l := &lab{dir: dir, bmc: bmctest.Config{Tree: machine(1), Username: "admin", Password: password, Sessions: true}, facts: map[string]any{}}
	ends = func() {
		for _, end := range l.ends {
			end()
		}
	}
	if err := l.write(f); err != nil {
		ends()
		return nil, fmt.Errorf("setting up the fault %s: %w", f.ID, err)
	}
	return ends, nil
}

func (l *lab) write(f Fault) error {
	if f.set != nil {
		if err := f.set(l); err != nil {
			return err
		}
	}
	example, err := labs.Example{Stack: labs.IPv4, Name: "broken"}.Write()
	if err != nil {
		return err
	}
	workers, err := l.workers()
	if err != nil {
		return err
	}
	l.facts["workers"] = workers
	l.facts["pull_secret"] = map[string]any{"file": filepath.Join(l.dir, "pull-secret.json")}
	values, err := yaml.Marshal(map[string]any{"lab": l.facts})
	if err != nil {
		return err
	}
	for name, text := range map[string][]byte{"lab.yaml": example, "values.yaml": values, "password": []byte(password),
		"pull-secret.json": []byte(`{"auths": {"quay.io": {"auth": "bGFiOnF1aWxsLTdmM2EtZmVycnk="}}}`)} {
		if err := os.WriteFile(filepath.Join(l.dir, name), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// workers are both, with their BMCs running.
func (l *lab) workers() ([]any, error) {
	var all []any
	for n, config := range []bmctest.Config{{Tree: machine(0), Username: "admin", Password: password, Sessions: true}, l.bmc} {
		b, err := bmctest.New(config)
		if err != nil {
			return nil, err
		}
		l.ends = append(l.ends, b.Close)
		worker := map[string]any{"name": fmt.Sprintf("worker%d", n), "boot_mac": mac(n), "bmc": map[string]any{
			"address":                          b.Address(bmctest.System),
			"credentials":                      map[string]any{"username": "admin", "password": map[string]any{"file": filepath.Join(l.dir, "password"), "env": nil}},
			"disable_certificate_verification": false,
		}}
		if n == 1 && l.change != nil {
			l.change(worker)
		}
		all = append(all, worker)
	}
	return all, nil
}

func mac(n int) string { return bmctest.MAC[:len(bmctest.MAC)-1] + fmt.Sprint(n) }

// machine is a server in order.
func machine(n int) bmctest.Tree {
	return bmctest.Small().Set(bmctest.NIC, mac(n), "MACAddress").Set(bmctest.System, fmt.Sprintf("38947555-7742-3448-3784-82334782380%d", n), "UUID")
}

// bmc changes worker1's lab.workers[1].bmc.
func (l *lab) bmcFact(name string, value any) {
	l.change = func(w map[string]any) { w["bmc"].(map[string]any)[name] = value }
}

// rewrite changes worker1's BMC address.
func (l *lab) rewrite(change func(address string) string) {
	l.change = func(w map[string]any) {
		bmc := w["bmc"].(map[string]any)
		bmc["address"] = change(bmc["address"].(string))
	}
}

// web serves nothing: every path is a 404.
func (l *lab) web() string {
	server := httptest.NewServer(http.NotFoundHandler())
	l.ends = append(l.ends, server.Close)
	return server.URL
}

// passwordIn gives worker1 a password of its own, in a file; none where text is nil.
func (l *lab) passwordIn(text []byte) error {
	path := filepath.Join(l.dir, "password-of-worker1")
	l.bmcFact("credentials", map[string]any{"username": "admin", "password": map[string]any{"file": path, "env": nil}})
	if text == nil {
		return os.RemoveAll(path) // another fault may have been set up in this folder
	}
	return os.WriteFile(path, text, 0o600)
}

// after cuts off what stands before a text.
func after(s, mark string) string {
	_, rest, _ := strings.Cut(s, mark)
	return rest
}
