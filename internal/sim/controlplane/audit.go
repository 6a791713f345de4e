package controlplane

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
)

// auditPolicyText logs each write with the object that the server answered, and nothing else: neither events, nor the
// Leases that the control plane's own programs renew all the time. The log holds
// Secrets, as etcd's folder beside it does; both stand in a folder that is the owner's alone.
const auditPolicyText = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
omitManagedFields: true
rules:
- level: None
  verbs: [get, list, watch]
- level: None
  resources: [{group: "", resources: [events]}, {group: events.k8s.io}]
- level: None
  resources: [{group: coordination.k8s.io}]
  namespaces: [kube-system, kube-node-lease]
- level: RequestResponse
`

// Write is one request that could have changed an object.
type Write struct {
	User, Agent                      string // name in the certificate; User-Agent header
	Verb                             string // create, update, patch, delete, deletecollection
	Group, Resource, Subresource     string
	Namespace, Name, ResourceVersion string // of the object as it was answered
	DryRun                           bool
	Code                             int // HTTP status of the answer

	// Changed says that the object has another resourceVersion than at its last write, or is gone. A no-op apply and
	// a dry run are writes that changed nothing.
	Changed bool
}

// Writes reads from the audit log every write since the start of the control plane, oldest first. It needs
// Options.Audit.
func (cp *ControlPlane) Writes() ([]Write, error) {
	if !cp.options.Audit {
		return nil, errors.New("reading the audit log: this control plane was started without one")
	}
	f, err := os.Open(cp.auditLog())
	if err != nil {
		return nil, fmt.Errorf("reading the audit log: %w", err)
	}
	defer f.Close()
	return readWrites(f)
}

func (cp *ControlPlane) auditLog() string { return filepath.Join(cp.options.Dir, "audit.log") }

func (cp *ControlPlane) writeAuditPolicy() error {
	return os.WriteFile(cp.auditPolicy(), []byte(auditPolicyText), 0o600)
}

func (cp *ControlPlane) auditPolicy() string {
	return filepath.Join(cp.options.Dir, "audit-policy.yaml")
}

type auditEvent struct {
	Verb, RequestURI, UserAgent string
	User                        struct{ Username string }
	ObjectRef                   struct{ APIGroup, Resource, Subresource, Namespace, Name string }
	ResponseStatus              struct{ Code int }
	ResponseObject              struct {
		Metadata struct{ Name, UID, ResourceVersion string }
	}
}

func readWrites(log io.Reader) ([]Write, error) {
	var writes []Write
	versions := map[string]string{} // object → resourceVersion after its last write
	lines := bufio.NewReader(log)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return writes, nil // a last line without its end is being written
		}
		if err != nil {
			return writes, fmt.Errorf("reading the audit log: %w", err)
		}
		var e auditEvent
		if err := json.Unmarshal(line, &e); err != nil {
			return writes, fmt.Errorf("reading the audit log: %w", err)
		}
		writes = append(writes, e.write(versions))
	}
}

func (e auditEvent) write(versions map[string]string) Write {
	w := Write{
		User: e.User.Username, Agent: e.UserAgent, Verb: e.Verb,
		Group: e.ObjectRef.APIGroup, Resource: e.ObjectRef.Resource, Subresource: e.ObjectRef.Subresource,
		Namespace: e.ObjectRef.Namespace, Name: e.ObjectRef.Name,
		ResourceVersion: e.ResponseObject.Metadata.ResourceVersion,
		DryRun:          dryRun(e.RequestURI), Code: e.ResponseStatus.Code,
	}
	if w.Name == "" {
		w.Name = e.ResponseObject.Metadata.Name
	}
	if w.DryRun || w.Code >= 300 {
		return w
	}
	object := fmt.Sprint(w.Group, "/", w.Resource, "/", w.Namespace, "/", w.Name)
	w.Changed = w.ResourceVersion == "" || versions[object] != w.ResourceVersion
	versions[object] = w.ResourceVersion
	return w
}

func dryRun(uri string) bool {
	u, err := url.ParseRequestURI(uri)
	return err == nil && u.Query().Get("dryRun") == "All"
}
