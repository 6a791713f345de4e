package redfish

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/labrun/labrun/redfish/bmctest"
)

// fit fails the test where text from a BMC is not fit for one line of a terminal.
func fit(t *testing.T, text string) {
	t.Helper()
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }) {
		t.Errorf("%q is not fit for a terminal", text)
	}
}

// Every way to read a property, on any body: a value only where the body has one, else a *PropertyError.
func FuzzResource(f *testing.F) {
	for _, body := range bmctest.Small().JSON() {
		f.Add(body, "Members", "@odata.id")
	}
	f.Add([]byte(`{"a": {"b": [{"@odata.id": "/x"}, 1, null, "s", true, {"@odata.id": 7}]}}`), "a", "b")
	f.Add([]byte(`{"a": null}`), "a", "b")
	f.Add([]byte(`{"@odata.type": "#A.v1_0_0.B"} trailing`), "", "")
	f.Fuzz(func(t *testing.T, body []byte, first, second string) {
		r, err := decode("/redfish/v1/x", http.Header{"Content-Type": {second}}, body)
		if err != nil {
			fit(t, err.Error())
			return
		}
		for _, names := range [][]string{{first}, {first, second}} {
			_, atErr := r.at(names...)
			_, textErr := r.text(names...)
			_, flagErr := r.flag(names...)
			_, textsErr := r.texts(names...)
			_, linksErr := r.links(names...)
			_, linkErr := r.link(names...)
			for _, err := range []error{textErr, flagErr, textsErr, linksErr, linkErr} {
				var property *PropertyError
				if err == nil && atErr != nil || err != nil && !errors.As(err, &property) {
					t.Errorf("%v of %s: %v, though at gives %v", names, body, err, atErr)
				}
			}
		}
		if is, err := r.isA(first); is && err != nil {
			t.Error(err)
		}
		_ = expandQuery(r)
	})
}

// A link becomes a path on the same BMC, or an error: never a way to another host, and never with a credential in it.
func FuzzLocalPath(f *testing.F) {
	for _, seed := range []string{
		"/redfish/v1", "//192.0.2.9/x", "https://192.0.2.1/a?b=c#d", "https://192.0.2.1:444/", "http://192.0.2.1/", "https://u:p@192.0.2.1/x", "x", "", "/%2f/x", "/../x", `/\192.0.2.9`, "/a b", "https:/x", "mailto:x", "/?$expand=.",
		"/\r\nHost: x", "//", "///x", "/%zz", "https://[::1",
	} {
		f.Add(seed)
	}
	base := &url.URL{Scheme: "https", Host: "192.0.2.1"}
	f.Fuzz(func(t *testing.T, link string) {
		path, err := localPath(base, link)
		if err != nil {
			fit(t, err.Error())
			return
		}
		r, err := http.NewRequest(http.MethodGet, base.String()+path, nil)
		if err != nil {
			return // no request, no harm
		}
		if r.URL.Host != base.Host || r.URL.Scheme != base.Scheme || r.URL.User != nil || r.Host != base.Host {
			t.Errorf("%q leads to %s", link, r.URL)
		}
		if again, err := localPath(base, path); err != nil || again != path {
			t.Errorf("%q gives %q, and that gives %q, %v", link, path, again, err)
		}
	})
}

// A MAC is written in one way, whatever the notation; what is none is none.
func FuzzMAC(f *testing.F) {
	for _, seed := range []string{"52:54:00:12:34:56", "52-54-00-12-34-56", "5254.0012.3456", " 52:54:00:AB:CD:EF\n", "", "52:54", "00:00:00:00:00:00:00:00", "zz:54:00:12:34:56"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		mac := normalMAC(text)
		if mac != "" && (normalMAC(mac) != mac || mac != strings.ToLower(mac)) {
			t.Errorf("%q gives %q, and that %q", text, mac, normalMAC(mac))
		}
		_ = meaningful(text)
	})
}

// An ActionInfo gives values only of the parameter asked about, and only where it states them.
func FuzzActionInfo(f *testing.F) {
	f.Add([]byte(`{"Parameters": [{"Name": "ResetType", "AllowableValues": ["On", "ForceOff"]}]}`), "ResetType")
	f.Add([]byte(`{"Parameters": [{"Name": "ResetType", "AllowableValues": null}, null, 7, {"Name": 7}]}`), "ResetType")
	f.Add([]byte(`{"Parameters": {"Name": "ResetType"}}`), "ResetType")
	f.Fuzz(func(t *testing.T, body []byte, parameter string) {
		r, err := decode("/info", nil, body)
		if err != nil {
			return
		}
		values, err := allowed(r, parameter)
		if err == nil && !strings.Contains(string(body), "AllowableValues") {
			t.Skip() // an escaped name: the same name, written otherwise
		}
		var property *PropertyError
		if err != nil && (values != nil || !errors.As(err, &property)) {
			t.Errorf("%v, %v", values, err)
		}
	})
}

// The words of an error are fit to be shown, whatever the BMC sends.
func FuzzErrorBody(f *testing.F) {
	f.Add(401, []byte(`{"error": {"code": "Base.1.0.GeneralError", "message": "x", "@Message.ExtendedInfo": [{"MessageId": "IDRAC.2.1.RAC0218", "Message": "y"}]}}`))
	f.Add(503, []byte(`{"error": {"@Message.ExtendedInfo": [null, {"Message": 7}]}}`))
	f.Add(500, []byte("<html>\x1b[31m\x00\xff"))
	f.Add(400, []byte(`{"error": null}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		err := answered(http.MethodGet, "https://192.0.2.1/x", status, body)
		fit(t, err.Error())
		fit(t, err.Code+err.Message+err.ids)
		if len(err.Error()) > 4096 {
			t.Errorf("%d bytes of error", len(err.Error()))
		}
		if statusOf(err) != status {
			t.Errorf("HTTP %d became %d", status, statusOf(err))
		}
		_ = tableFull(err)
	})
}

// Where a session stands is a path on the BMC, or not known.
func FuzzSessionLocation(f *testing.F) {
	f.Add("/redfish/v1/SessionService/Sessions/1", []byte(`{}`))
	f.Add("https://bmc.internal/redfish/v1/Sessions/1", []byte(``))
	f.Add("", []byte(`{"@odata.id": "/redfish/v1/Sessions/2"}`))
	f.Add("://", []byte(`{"@odata.id": "http://192.0.2.9/redfish/v1/Sessions/2"}`))
	f.Add("%", []byte(`{"@odata.id": 7}`))
	c := testConn(f)
	f.Fuzz(func(t *testing.T, location string, body []byte) {
		path := c.sessionPath(&response{status: 201, header: http.Header{"Location": {location}}, body: body})
		if path == "" {
			return
		}
		if r, err := http.NewRequest(http.MethodDelete, c.base.String()+path, nil); err == nil && (r.URL.Host != c.base.Host || r.URL.User != nil) {
			t.Errorf("%q, %s: the DELETE goes to %s", location, body, r.URL)
		}
	})
}

// A busy BMC's time is never negative, and never overflows.
func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"3", "-1", "Fri, 02 Jan 2026 03:04:15 GMT", "99999999999999999999", "", "1e9", "Monday"} {
		f.Add(seed)
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f.Fuzz(func(t *testing.T, after string) {
		if wait, _ := comeBack(&response{status: 503, header: http.Header{"Retry-After": {after}}}, now); wait < 0 {
			t.Errorf("%q: %s", after, wait)
		}
	})
}

// A collection of any kind, asked for with its members: what get gives of one has the path that was asked.
func FuzzCollection(f *testing.F) {
	tree := bmctest.Small()
	for _, body := range [][]byte{
		tree.JSON()[bmctest.NICs],
		[]byte(`{"Members": [{"@odata.id": "/redfish/v1/c/1", "@odata.type": "#X.v1.X", "Size": 1}], "Members@odata.count": 2}`),
		[]byte(`{"Members": [], "Members@odata.nextLink": "/redfish/v1/c?$skip=1"}`),
		[]byte(`{"Members": [null, 7, [], "x", {"@odata.id": ""}, {"@odata.id": "http://[::1"}], "Members@odata.nextLink": "//x"}`),
		[]byte(`{"Members": {"@odata.id": "/redfish/v1/c/1"}, "Members@odata.count": "2"}`),
	} {
		f.Add(body, true)
		f.Add(body, false)
	}
	f.Fuzz(func(t *testing.T, body []byte, expands bool) {
		const path = "/redfish/v1/c"
		c := testConn(t)
		c.cache = map[string]answer{}
		c.client.Transport = canned{map[string][]byte{}, path, body}
		if expands {
			c.expand = "$expand=."
		}
		r, err := c.withMembers(t.Context(), path)
		if err != nil {
			fit(t, err.Error())
			return
		}
		if r.path != path {
			t.Errorf("the path is %q", r.path)
		}
		members, err := r.links("Members")
		if err != nil {
			return
		}
		for _, m := range members {
			if got, err := c.get(t.Context(), m); err == nil {
				if _, err := json.Marshal(got.body); err != nil {
					t.Error(err)
				}
			}
		}
	})
}

// A Manager's time is one that its text says, or an error.
func FuzzDateTime(f *testing.F) {
	f.Add("2026-01-02T03:04:05+01:00", "")
	f.Add("2026-01-02T03:04:05", "+01:00")
	f.Add("2026-01-02 03:04:05", "Z")
	f.Add("1970-01-01T00:00:00Z", "+99:99")
	f.Fuzz(func(t *testing.T, text, offset string) {
		r := &resource{path: "/m", body: map[string]any{"DateTime": text, "DateTimeLocalOffset": offset}}
		at, err := dateTime(r)
		if err != nil {
			return
		}
		if _, err := time.Parse(time.RFC3339, text); err != nil {
			text += offset
		}
		if again, err := time.Parse(time.RFC3339, text); err != nil || !again.Equal(at) {
			t.Errorf("%q became %s", text, at)
		}
	})
}
