package bmctest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"
)

// recorder notes the status of an answer before the client can see it.
type recorder struct {
	http.ResponseWriter
	note func(status int)
}

func (r *recorder) WriteHeader(status int) {
	r.note(status)
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// ServeHTTP answers one request and notes it.
func (b *BMC) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimSuffix(r.URL.Path, "/")
	at := b.arrive(r, path)
	leave := sync.OnceFunc(func() { b.record.leave(at) })
	defer leave()
	answer := &recorder{ResponseWriter: w, note: func(status int) {
		b.record.answered(at, status)
		leave() // the client may send the next one before this function returns
	}}
	b.wait(r, b.config.Latency)
	f, ok := b.fault(r, path)
	if ok && f.Kind == Hang {
		b.record.hangs(at)
	}
	if !ok || !b.misbehave(answer, r, path, f) {
		b.answer(answer, r, path)
	}
}

func (b *BMC) answer(w http.ResponseWriter, r *http.Request, path string) {
	if r.Method == http.MethodPost && path == Sessions && b.config.Sessions {
		b.openSession(w, r)
		return
	}
	if path != Root {
		if status := b.refusal(r); status != 0 {
			refuse(w, status, "Base.1.0.GeneralError", "Incorrect username or password")
			return
		}
	}
	switch r.Method {
	case http.MethodGet:
		b.get(w, r, path)
	case http.MethodPost:
		b.act(w, r, path)
	case http.MethodPatch:
		b.patch(w, r, path)
	case http.MethodDelete:
		b.closeSession(w, path)
	default:
		refuse(w, http.StatusMethodNotAllowed, "Base.1.0.OperationNotAllowed", "method not allowed")
	}
}

func (b *BMC) get(w http.ResponseWriter, r *http.Request, path string) {
	b.mu.Lock()
	body, ok := b.tree[path]
	patched := b.config.Patch && isSlot(body)
	content, status, err := b.render(path, r.URL.Query())
	b.mu.Unlock()
	switch {
	case !ok:
		refuse(w, http.StatusNotFound, "Base.1.0.ResourceMissingAtURI", "no resource at "+path)
		return
	case err != nil:
		refuse(w, status, "Base.1.0.QueryNotSupported", err.Error())
		return
	case patched:
		w.Header().Set("Allow", "GET, HEAD, PATCH")
	}
	b.config.Quirks.tag(w)
	reply(w, http.StatusOK, json.RawMessage(content))
}

// act performs the action whose target is this path.
func (b *BMC) act(w http.ResponseWriter, r *http.Request, path string) {
	resource, action := b.owner(path)
	parameters, err := parametersOf(r)
	switch {
	case resource == "":
		refuse(w, http.StatusNotFound, "Base.1.0.ActionNotSupported", "no action at "+path)
	case err != nil:
		refuse(w, http.StatusBadRequest, "Base.1.0.MalformedJSON", err.Error())
	case action == insertAction:
		b.insert(w, resource, parameters)
	case action == ejectAction:
		b.eject(resource)
		w.WriteHeader(http.StatusNoContent)
	case action == "#ComputerSystem.Reset":
		b.reset(w, resource, parameters["ResetType"])
	default:
		refuse(w, http.StatusBadRequest, "Base.1.0.ActionNotSupported", "action "+action+" is not played")
	}
}

// owner finds the resource and action with this target.
func (b *BMC) owner(target string) (resource, action string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for path, body := range b.tree {
		actions, _ := body["Actions"].(map[string]any)
		for name, value := range actions {
			if object, _ := value.(map[string]any); object["target"] == target {
				return path, name
			}
		}
	}
	return "", ""
}

func (b *BMC) reset(w http.ResponseWriter, system string, kind any) {
	state := map[any]string{"On": "On", "ForceOn": "On", "ForceRestart": "On", "PowerCycle": "On", "ForceOff": "Off", "GracefulShutdown": "Off"}[kind]
	if state == "" {
		refuse(w, http.StatusBadRequest, "Base.1.0.ActionParameterNotSupported", fmt.Sprintf("ResetType %v is not supported", kind))
		return
	}
	b.mu.Lock()
	b.tree[system]["PowerState"] = state
	b.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}

// patch inserts and ejects where slots take it, and merges everything else, one level deep.
func (b *BMC) patch(w http.ResponseWriter, r *http.Request, path string) {
	changes, err := parametersOf(r)
	b.mu.Lock()
	body, ok := b.tree[path]
	slot := isSlot(body)
	b.mu.Unlock()
	switch {
	case err != nil:
		refuse(w, http.StatusBadRequest, "Base.1.0.MalformedJSON", err.Error())
	case !ok:
		refuse(w, http.StatusNotFound, "Base.1.0.ResourceMissingAtURI", "no resource at "+path)
	case b.config.Quirks.otherVersion(r):
		refuse(w, http.StatusPreconditionFailed, "Base.1.0.PreconditionFailed", "the ETag does not match")
	case slot:
		b.patchSlot(w, path, changes)
	default:
		b.config.Quirks.boot(changes)
		b.mu.Lock()
		defer b.mu.Unlock()
		for name, value := range changes {
			old, isObject := body[name].(map[string]any)
			if more, ok := value.(map[string]any); ok && isObject {
				maps.Copy(old, more)
			} else {
				body[name] = value
			}
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

// bodyOf reads a request's body and leaves it to be read again; not that of a login, which is a credential.
func bodyOf(r *http.Request, path string) string {
	if path == Sessions {
		return ""
	}
	content, _ := io.ReadAll(r.Body) // what could not be read is answered as malformed
	r.Body = io.NopCloser(bytes.NewReader(content))
	return string(content)
}

func parametersOf(r *http.Request) (map[string]any, error) {
	out := map[string]any{}
	err := json.NewDecoder(r.Body).Decode(&out)
	return out, err
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("OData-Version", "4.0")
	w.WriteHeader(status)
	content, err := json.Marshal(body)
	if err != nil {
		panic(err) // a tree is made of JSON
	}
	content = bytes.ReplaceAll(content, []byte(`"`+Clock+`"`), []byte(`"`+time.Now().UTC().Format(time.RFC3339)+`"`))
	_, _ = w.Write(append(content, '\n')) // where the client has gone, nobody is left to tell
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	reply(w, status, map[string]any{"error": map[string]any{"code": code, "message": message}})
}

// refuseAtLength says it as most BMCs do: the code is a general one, and what it is about stands in the extended info.
func refuseAtLength(w http.ResponseWriter, status int, id, message string) {
	reply(w, status, map[string]any{"error": map[string]any{
		"code": "Base.1.8.GeneralError", "message": "A general error has occurred. See ExtendedInfo for more information.",
		"@Message.ExtendedInfo": []any{map[string]any{"@odata.type": "#Message.v1_0_8.Message", "MessageId": id, "Message": message, "Severity": "Critical"}},
	}})
}
