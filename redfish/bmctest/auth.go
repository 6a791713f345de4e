package bmctest

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// session is an open session.
type session struct {
	token string
	used  time.Time
}

func authKind(r *http.Request) string {
	if r.Header.Get("X-Auth-Token") != "" {
		return "session"
	}
	if r.Header.Get("Authorization") != "" {
		return "basic"
	}
	return ""
}

func (b *BMC) open() bool { return b.config.Username == "" && b.config.Password == "" }

// refusal judges what proves a request's right: the token of an open session, or Basic. It gives 0 where it is good, else
// the status to answer.
func (b *BMC) refusal(r *http.Request) int {
	if b.open() {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if token := r.Header.Get("X-Auth-Token"); token != "" {
		b.expire()
		for _, s := range b.sessions {
			if token == s.token {
				s.used = time.Now()
				return 0
			}
		}
		return http.StatusUnauthorized
	}
	user, password, ok := r.BasicAuth()
	if !ok {
		return http.StatusUnauthorized
	}
	return b.attempt(user, password)
}

func (b *BMC) openSession(w http.ResponseWriter, r *http.Request) {
	login, err := parametersOf(r)
	if err != nil {
		refuse(w, http.StatusBadRequest, "Base.1.0.MalformedJSON", err.Error())
		return
	}
	user, _ := login["UserName"].(string)
	password, _ := login["Password"].(string)
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.open() {
		if status := b.attempt(user, password); status != 0 {
			refuse(w, status, "Base.1.0.InvalidCredentials", "Incorrect username or password")
			return
		}
	}
	b.expire()
	if b.config.SessionLimit > 0 && len(b.sessions) >= b.config.SessionLimit {
		refuseAtLength(w, http.StatusServiceUnavailable, "Base.1.8.SessionLimitExceeded",
			"The session establishment failed due to the number of simultaneous sessions exceeding the limit of the implementation.")
		return
	}
	b.opened++
	path := fmt.Sprintf("%s/%d", Sessions, b.opened)
	b.sessions[path] = &session{token: rand.Text(), used: time.Now()}
	b.tree[path] = map[string]any{"@odata.id": path, "@odata.type": "#Session.v1_3_0.Session", "Id": fmt.Sprint(b.opened), "Name": "Session", "UserName": user}
	b.list()
	body := b.tree[path]
	w.Header().Set("X-Auth-Token", b.sessions[path].token)
	switch b.config.SessionLocation {
	case LocationPath:
		w.Header().Set("Location", path)
	case LocationURL:
		w.Header().Set("Location", "https://bmc.internal"+path)
	case LocationBody:
	case LocationNone:
		body = map[string]any{"UserName": user}
	}
	reply(w, http.StatusCreated, body)
}

func (b *BMC) closeSession(w http.ResponseWriter, path string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.sessions[path]; !ok {
		refuse(w, http.StatusNotFound, "Base.1.0.ResourceMissingAtURI", "no session at "+path)
		return
	}
	b.forget(path)
	w.WriteHeader(http.StatusNoContent)
}

// expire closes the sessions that nobody used for too long; the caller holds b.mu.
func (b *BMC) expire() {
	if b.config.SessionTimeout <= 0 {
		return
	}
	for path, s := range b.sessions {
		if time.Since(s.used) > b.config.SessionTimeout {
			b.forget(path)
		}
	}
}

func (b *BMC) forget(path string) {
	delete(b.sessions, path)
	delete(b.tree, path)
	b.list()
}

// list writes the open sessions into their collection.
func (b *BMC) list() {
	var open []string
	for path := range b.sessions {
		open = append(open, path)
	}
	slices.Sort(open)
	b.tree[Sessions] = collection(Sessions, "Session", open...)
}

// Sessions counts the sessions that are open, and all that were ever opened.
func (b *BMC) Sessions() (open, ever int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expire()
	return len(b.sessions), b.opened
}

// ExpireSessions closes every session as a timeout of the BMC would.
func (b *BMC) ExpireSessions() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for path := range b.sessions {
		b.forget(path)
	}
	for path := range b.tree { // a tree may have had some of its own
		if strings.HasPrefix(path, Sessions+"/") {
			delete(b.tree, path)
		}
	}
}
