package bmctest

import (
	"net"
	"net/http"
	"net/http/httptest"
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
	HalfBody             // closes it in the middle of the body
	Redirect             // answers Fault.Status (default 302) with Fault.Location
	Slow                 // answers as it should, but Fault.Delay later
	Mute                 // does what was asked, and closes the connection without an answer
)

// Fault breaks the answers to matching requests.
type Fault struct {
	Kind     Kind
	Method   string // empty: any
	Path     string // exact, without trailing slash; a trailing * matches any rest; empty: any
	Status   int
	Body     string
	Location string
	Delay    time.Duration
	Times    int // after so many it is over; 0: never
}

func (f *Fault) matches(r *http.Request, path string) bool {
	if f.Method != "" && f.Method != r.Method {
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
func (b *BMC) misbehave(w http.ResponseWriter, r *http.Request, f Fault) bool {
	switch f.Kind {
	case Status:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(f.Status)
		_, _ = w.Write([]byte(f.Body))
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
	case HalfBody:
		w.Header().Set("Content-Length", "4096")
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write([]byte(`{"@odata.id": "/redfish/v1/`))
		_ = http.NewResponseController(w).Flush()
		drop(w, false)
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
