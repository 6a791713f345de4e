package bmctest

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"
)

// Kind of a fault.
type Kind int

// What can go wrong with an answer.
const (
	Status   Kind = iota // answers Fault.Status with Fault.Body
	Hang                 // never answers
	Reset                // resets the connection
	Close                // closes the connection without an answer
	HalfBody             // does what was asked, but closes it in the middle of the answer's body
	Redirect             // answers Fault.Status (default 302) with Fault.Location
	Slow                 // answers as it should, but Fault.Delay later
	Trickle              // answers as it should, but a byte of the body each Fault.Delay
	Replace              // answers as it should, but Fault.Property is Fault.Value: a wrong type, say, or null
	Mute                 // does what was asked, and closes the connection without an answer
)

// Fault breaks the answers to matching requests.
type Fault struct {
	Kind   Kind
	Method string // empty: any
	Path   string // exact, without trailing slash; a trailing * matches any rest; empty: any
	Query  string // text that the query must hold, such as "$expand"; empty: any

	Status      int
	Body        string
	ContentType string // of Body; default application/json
	RetryAfter  string // header of a Status: seconds, or an HTTP date
	Location    string
	Delay       time.Duration
	Property    []string // names on the way to it
	Value       any

	After int // so many matching requests go well first
	Times int // after so many it is over; 0: never
}

// Busy is a BMC that answers so many requests with 503, "try again after so many seconds", and then is fine.
func Busy(times int, seconds string) Fault {
	return Fault{Status: http.StatusServiceUnavailable, RetryAfter: seconds, Times: times, Body: `{"error": {"code": "Base.1.8.ServiceTemporarilyUnavailable",` +
		` "message": "The service is temporarily unavailable.  Retry in ` + seconds + ` seconds."}}`}
}

func (f *Fault) matches(r *http.Request, path string) bool {
	if f.Method != "" && f.Method != r.Method {
		return false
	}
	if query, err := url.QueryUnescape(r.URL.RawQuery); err != nil || !strings.Contains(query, f.Query) {
		return false
	}
	if prefix, ok := strings.CutSuffix(f.Path, "*"); ok {
		return strings.HasPrefix(path, prefix)
	}
	return f.Path == "" || f.Path == path
}

// fault takes the next fault for a request.
func (b *BMC) fault(r *http.Request, path string) (Fault, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.faults {
		f := &b.faults[i]
		if f.Times < 0 || !f.matches(r, path) {
			continue
		}
		if f.After > 0 {
			f.After--
			continue
		}
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				f.Times = -1
			}
		}
		return *f, true
	}
	return Fault{}, false
}

// misbehave plays a fault; false where the request is to be answered after all.
func (b *BMC) misbehave(w http.ResponseWriter, r *http.Request, path string, f Fault) bool {
	switch f.Kind {
	case Status:
		f.answer(w)
	case Hang:
		select {
		case <-r.Context().Done():
		case <-b.quit:
		}
		drop(w, false)
	case Reset:
		drop(w, true)
	case Close:
		drop(w, false)
	case HalfBody, Trickle, Replace:
		b.spoil(w, r, path, f)
	case Redirect:
		w.Header().Set("Location", f.Location)
		if f.Status == 0 {
			f.Status = http.StatusFound
		}
		w.WriteHeader(f.Status)
	case Mute:
		b.answer(httptest.NewRecorder(), r, strings.TrimSuffix(r.URL.Path, "/"))
		drop(w, false)
	case Slow:
		b.wait(r, f.Delay)
		return false
	}
	return true
}

func (f Fault) answer(w http.ResponseWriter) {
	if f.ContentType == "" {
		f.ContentType = "application/json"
	}
	w.Header().Set("Content-Type", f.ContentType)
	if f.RetryAfter != "" {
		w.Header().Set("Retry-After", f.RetryAfter)
	}
	w.WriteHeader(f.Status)
	_, _ = w.Write([]byte(f.Body))
}

// drop takes the connection away from the server and closes it, with a TCP reset where asked.
func drop(w http.ResponseWriter, reset bool) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok && reset {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

func (b *BMC) wait(r *http.Request, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	case <-b.quit:
	}
}
