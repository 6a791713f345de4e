package redfish

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// closing is how long one attempt to delete a session may take, and how much longer than a cancelled caller its opening.
const closing = 5 * time.Second

// login is how a conn proves who it is.
type login struct {
	basic   bool
	token   string
	session string   // path of the session to delete
	roles   []string // of the session, where its body states them
	refused bool     // 401: nothing is sent with this credential again
}

func (l *login) sends() bool { return l.basic || l.token != "" }

func (l *login) authorize(r *http.Request, c Credentials) {
	switch {
	case l.token != "":
		r.Header.Set("X-Auth-Token", l.token)
	case l.basic:
		r.SetBasicAuth(c.Username, c.Password)
	}
}

// outcome is how an authentication went.
type outcome struct {
	how    string // what was done, for a report
	status int
	err    error
	full   bool // the BMC has no room for another session
}

// authenticate proves the credential once: by opening a session where the root names a session collection, else by one
// GET of the systems with Basic. A refusal is final for this conn.
func (c *conn) authenticate(ctx context.Context, root *resource) outcome {
	c.expand = expandQuery(root)
	if sessions, err := root.link("Links", "Sessions"); err == nil {
		out := c.openSession(ctx, sessions)
		switch out.status {
		case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
			// Advertised but not there: the credential was not looked at.
		default:
			return out
		}
	}
	c.login.basic = true
	systems, err := root.link("Systems")
	if err != nil {
		systems = serviceRoot + "Systems"
	}
	how := "GET " + systems + " with Basic authentication"
	_, err = c.get(ctx, systems)
	if err != nil {
		return outcome{how: how, status: statusOf(err), err: err}
	}
	return outcome{how: how, status: http.StatusOK}
}

// openSession creates a session. A caller that is cancelled meanwhile waits a moment for the answer: without it nobody
// could delete the session again.
func (c *conn) openSession(ctx context.Context, link string) outcome {
	how := "POST " + link
	path, err := localPath(c.base, link)
	if err != nil {
		return outcome{how: how, err: err}
	}
	// A slow answer is waited for a little longer than others, too: whoever hangs up now leaves a session behind.
	patience := c.timeout + min(closing, c.timeout)
	detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(closing, cancel) })
	defer stop()

	res, err := c.do(detached, http.MethodPost, path, map[string]string{"UserName": c.credentials.Username, "Password": c.credentials.Password}, nil)
	if res != nil && res.status/100 == 2 && res.header.Get("X-Auth-Token") != "" {
		err = nil // a body that breaks off or is garbage takes nothing away: the headers say it all
	}
	if err != nil {
		out := outcome{how: how, status: statusOf(err), err: err}
		if out.status == http.StatusUnauthorized {
			c.login.refused = true
		}
		out.full = tableFull(err)
		return out
	}
	c.login.token = res.header.Get("X-Auth-Token")
	c.login.session = c.sessionPath(res)
	if body, err := decode(path, res.header, res.body); err == nil {
		c.login.roles, _ = body.texts("Roles")
	}
	if c.login.token == "" {
		c.login.basic = true
		return outcome{how: how, status: res.status, err: fmt.Errorf("POST %s: HTTP %d without an X-Auth-Token", link, res.status)}
	}
	return outcome{how: how, status: res.status}
}

// tableFull says whether a BMC has no room for another session: by the standard's message, by iDRAC's, or in words.
func tableFull(err error) bool {
	var e *RequestError
	return errors.As(err, &e) && slices.ContainsFunc([]string{
		"SessionLimitExceeded", "RAC0218", "session limit", "number of user sessions", "number of simultaneous sessions", "maximum number of sessions",
	}, e.mentions)
}

// sessionPath finds where a new session stands: in the Location header, which may be a full URL, else in the body.
func (c *conn) sessionPath(res *response) string {
	if u, err := url.Parse(res.header.Get("Location")); err == nil && u.Path != "" {
		// Only the path counts: some BMCs give a name that they do not know themselves by from outside.
		if path, err := localPath(c.base, u.EscapedPath()); err == nil {
			return path
		}
	}
	if r, err := decode("", res.header, res.body); err == nil {
		if id, err := r.text("@odata.id"); err == nil {
			if path, err := localPath(c.base, id); err == nil {
				return path
			}
		}
	}
	return ""
}

// logout deletes the session, also for a caller that is cancelled, and closes the connection.
func (c *conn) logout(ctx context.Context) error {
	defer c.hangUp()
	if c.login.session == "" {
		if c.login.token != "" {
			return errors.New("the BMC did not say where the session stands that it opened, so it could not be deleted")
		}
		return nil
	}
	session := c.login.session
	c.login.session = ""
	c.login.refused = false // an expired token may have made it so; the session is still ours
	err := c.deleteSession(ctx, session)
	if statusOf(err) == 0 && err != nil {
		err = c.deleteSession(ctx, session) // over a new connection: no answer says nothing about the session
	}
	c.login.token = ""
	if statusOf(err) == http.StatusNotFound || statusOf(err) == http.StatusUnauthorized {
		return nil // gone already
	}
	return err
}

func (c *conn) deleteSession(ctx context.Context, session string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
	defer cancel()
	_, err := c.do(ctx, http.MethodDelete, session, nil, nil)
	return err
}
