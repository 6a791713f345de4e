package bmctest

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
)

func authKind(r *http.Request) string {
	if r.Header.Get("X-Auth-Token") != "" {
		return "session"
	}
	if r.Header.Get("Authorization") != "" {
		return "basic"
	}
	return ""
}

// allowed says whether a request proves its right: by the token of an open session or by Basic.
func (b *BMC) allowed(r *http.Request) bool {
	if b.config.Username == "" && b.config.Password == "" {
		return true
	}
	if token := r.Header.Get("X-Auth-Token"); token != "" {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, known := range b.sessions {
			if token == known {
				return true
			}
		}
		return false
	}
	user, password, ok := r.BasicAuth()
	return ok && user == b.config.Username && password == b.config.Password
}

func (b *BMC) openSession(w http.ResponseWriter, r *http.Request) {
	login, err := parametersOf(r)
	if err != nil {
		refuse(w, http.StatusBadRequest, "Base.1.0.MalformedJSON", err.Error())
		return
	}
	if (b.config.Username != "" || b.config.Password != "") && (login["UserName"] != b.config.Username || login["Password"] != b.config.Password) {
		refuse(w, http.StatusUnauthorized, "Base.1.0.InvalidCredentials", "Incorrect username or password")
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.config.SessionLimit > 0 && len(b.sessions) >= b.config.SessionLimit {
		refuse(w, http.StatusServiceUnavailable, "Base.1.0.SessionLimitExceeded", "the session table is full")
		return
	}
	b.opened++
	path := fmt.Sprintf("%s/%d", Sessions, b.opened)
	b.sessions[path] = rand.Text()
	b.tree[path] = map[string]any{"@odata.id": path, "@odata.type": "#Session.v1_3_0.Session", "UserName": login["UserName"]}
	w.Header().Set("X-Auth-Token", b.sessions[path])
	w.Header().Set("Location", path)
	reply(w, http.StatusCreated, b.tree[path])
}

func (b *BMC) closeSession(w http.ResponseWriter, path string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.sessions[path]; !ok {
		refuse(w, http.StatusNotFound, "Base.1.0.ResourceMissingAtURI", "no session at "+path)
		return
	}
	delete(b.sessions, path)
	delete(b.tree, path)
	w.WriteHeader(http.StatusNoContent)
}

// ExpireSessions closes every session as a timeout of the BMC would.
func (b *BMC) ExpireSessions() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.sessions)
	for path := range b.tree {
		if strings.HasPrefix(path, Sessions+"/") {
			delete(b.tree, path)
		}
	}
}
