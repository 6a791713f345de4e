package bmctest_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labrun/labrun/redfish/bmctest"
)

const (
	insertAt = bmctest.Slot + "/Actions/VirtualMedia.InsertMedia"
	ejectAt  = bmctest.Slot + "/Actions/VirtualMedia.EjectMedia"
)

// images serves 64 KiB at /a.iso and tells of each request: its method and range.
func images(t *testing.T) (url string, requests chan string) {
	t.Helper()
	requests = make(chan string, 9)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/a.iso" {
			http.NotFound(w, r)
			return
		}
		requests <- strings.TrimSpace(r.Method + " " + r.Header.Get("Range"))
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(strings.Repeat("x", 64<<10)))
	}))
	t.Cleanup(s.Close)
	return s.URL + "/a.iso", requests
}

// TestInserts sends inserts to a BMC of each kind: METHOD PATH BODY → status; IMAGE stands for the image's URL.
func TestInserts(t *testing.T) {
	const plain = `{"Image":"IMAGE"}`
	noActions := bmctest.Small().Unset(bmctest.Slot, "Actions")
	for _, test := range []struct {
		name    string
		config  bmctest.Config
		tries   string // BODY → status, one a line
		fetched string
	}{
		{"standard", bmctest.Config{}, plain + " 204", "GET"},
		{"no such image", bmctest.Config{}, `{"Image":"IMAGE.gz"} 400` + "\n" + `{} 400` + "\n" + plain + " 204", "GET"},
		{"Supermicro", bmctest.Config{Quirks: bmctest.Quirks{Refuses: []string{"Inserted", "WriteProtected"}}},
			`{"Image":"IMAGE","Inserted":true} 400` + "\n" + `{"Image":"IMAGE","WriteProtected":true} 400` + "\n" + plain + " 204", "GET"},
		{"Dell", bmctest.Config{Quirks: bmctest.Quirks{Requires: []string{"TransferProtocolType"}}},
			plain + " 400\n" + `{"Image":"IMAGE","TransferProtocolType":"HTTPS"} 400` + "\n" + `{"Image":"IMAGE","TransferProtocolType":"HTTP"} 204`, "GET"},
		{"TransferMethod", bmctest.Config{Quirks: bmctest.Quirks{Requires: []string{"TransferMethod"}}},
			`{"Image":"IMAGE","TransferMethod":"Magic"} 400` + "\n" + `{"Image":"IMAGE","TransferMethod":"Stream"} 204`, "GET"},
		{"user and password", bmctest.Config{Quirks: bmctest.Quirks{Requires: []string{"UserName", "Password"}}},
			`{"Image":"IMAGE","UserName":"a","Password":""} 400` + "\n" + `{"Image":"IMAGE","UserName":"a","Password":"b"} 204`, "GET"},
		{"500 twice", bmctest.Config{Faults: []bmctest.Fault{{Method: "POST", Path: insertAt, Status: 500, Times: 2}}},
			plain + " 500\n" + plain + " 500\n" + plain + " 204", "GET"},
		{"accepted, fetched later", bmctest.Config{Quirks: bmctest.Quirks{Accepted: true, FetchesLater: true}}, plain + " 202", "GET"},
		{"HEAD and ranges", bmctest.Config{Quirks: bmctest.Quirks{FetchesParts: true}}, plain + " 204", "HEAD, GET bytes=0-2047, GET bytes=32768-36863"},
		{"only HEAD", bmctest.Config{Quirks: bmctest.Quirks{FetchesHead: true}}, plain + " 204", "HEAD"},
		{"iLO never fetches", bmctest.Config{NoFetch: true}, plain + " 204", ""},
		{"Lenovo", bmctest.Config{Patch: true, Tree: noActions}, "PATCH " + plain + " 400\nPATCH " + `{"Image":"IMAGE","Inserted":true} 204`, "GET"},
		{"no PATCH", bmctest.Config{}, "PATCH " + `{"Image":"IMAGE","Inserted":true} 405` + "\n" + plain + " 204", "GET"},
	} {
		t.Run(test.name, func(t *testing.T) {
			image, requests := images(t)
			b := start(t, test.config)
			for try := range strings.Lines(test.tries) {
				body, status, _ := strings.Cut(strings.TrimSpace(try), "} ")
				method, path := "POST", insertAt
				if patch, ok := strings.CutPrefix(body, "PATCH "); ok {
					method, path, body = "PATCH", bmctest.Slot, patch
				}
				r, said, err := send(t, method, b.URL()+path, strings.ReplaceAll(body+"}", "IMAGE", image), nil)
				if err != nil || fmt.Sprint(r.StatusCode) != status {
					t.Fatalf("%s: got %v %s, %v", try, r, said, err)
				}
			}
			if test.fetched != "" {
				for want := range strings.SplitSeq(test.fetched, ", ") {
					if got := <-requests; got != want {
						t.Errorf("the image was asked for by %s, want %s", got, want)
					}
				}
			}
			b.Settle()
			if b.Property(bmctest.Slot, "Inserted") != true || b.Property(bmctest.Slot, "Image") != image {
				t.Errorf("the slot holds %v", b.Property(bmctest.Slot, "Image"))
			}
			if len(requests) != 0 || slices.Equal(b.Fetched(), []string{image}) != (test.fetched != "") {
				t.Errorf("fetched %v", b.Fetched())
			}
		})
	}
}

// Supermicro names the action EjectMedia only while something is in the slot.
func TestEjectAppears(t *testing.T) {
	image, _ := images(t)
	b := start(t, bmctest.Config{Quirks: bmctest.Quirks{EjectAppears: true}})
	for _, step := range []struct {
		path, body string
		status     int
		inserted   bool
	}{
		{ejectAt, "{}", 404, false}, {insertAt, `{"Image":"` + image + `"}`, 204, true}, {ejectAt, "{}", 204, false}, {ejectAt, "{}", 404, false},
	} {
		r, _, err := send(t, "POST", b.URL()+step.path, step.body, nil)
		if err != nil || r.StatusCode != step.status {
			t.Errorf("%s: %v, %v", step.path, r, err)
		}
		if b.Property(bmctest.Slot, "Inserted") != step.inserted || (b.Property(bmctest.Slot, "Actions", "#VirtualMedia.EjectMedia") != nil) != step.inserted {
			t.Errorf("after %s: %v", step.path, b.Property(bmctest.Slot))
		}
	}
}

func TestMediaUnderManager(t *testing.T) {
	tree := bmctest.Small().MediaUnderManager()
	b := start(t, bmctest.Config{Tree: tree})
	slot := bmctest.Manager + "/VirtualMedia/Cd"
	if len(tree[bmctest.Slot]) != 0 || b.Property(bmctest.System, "VirtualMedia") != nil {
		t.Error("the system has its slots still")
	}
	if got := fmt.Sprint(b.Property(slot, "MediaTypes")); got != "[CD DVD]" || b.Property(bmctest.Manager, "VirtualMedia", "@odata.id") != bmctest.Manager+"/VirtualMedia" {
		t.Errorf("the Manager's slot takes %s", got)
	}
	if r, _, err := send(t, "POST", b.URL()+slot+"/Actions/VirtualMedia.EjectMedia", "{}", nil); err != nil || r.StatusCode != 204 {
		t.Errorf("eject: %v, %v", r, err)
	}
}

func TestBootOverride(t *testing.T) {
	for _, test := range []struct {
		quirks       bmctest.Quirks
		rest, result string
	}{
		{bmctest.Quirks{}, "Disabled None", "Once Cd"},
		{bmctest.Quirks{Continuous: true}, "Continuous Hdd", "Continuous Cd"},
	} {
		b := start(t, bmctest.Config{Quirks: test.quirks})
		boot := func() string {
			return fmt.Sprint(b.Property(bmctest.System, "Boot", "BootSourceOverrideEnabled"), " ", b.Property(bmctest.System, "Boot", "BootSourceOverrideTarget"))
		}
		if boot() != test.rest {
			t.Errorf("at rest: %s", boot())
		}
		body := `{"Boot":{"BootSourceOverrideEnabled":"Once","BootSourceOverrideTarget":"Cd"}}`
		if r, _, err := send(t, "PATCH", b.URL()+bmctest.System, body, nil); err != nil || r.StatusCode != 204 || boot() != test.result {
			t.Errorf("%v, %v: %s, want %s", r, err, boot(), test.result)
		}
	}
}

func TestWeakTags(t *testing.T) {
	b := start(t, bmctest.Config{Quirks: bmctest.Quirks{WeakTags: true}})
	r, _, err := send(t, "GET", b.URL()+bmctest.System, "", nil)
	if err != nil || r.Header.Get("ETag") != `W/"1"` {
		t.Fatalf("%v, %v", r, err)
	}
	for _, tag := range []string{r.Header.Get("ETag"), ""} {
		want := map[bool]int{true: 204, false: 412}[tag == ""]
		r, _, err := send(t, "PATCH", b.URL()+bmctest.System, `{"AssetTag":"x"}`, func(r *http.Request) {
			if tag != "" {
				r.Header.Set("If-Match", tag)
			}
		})
		if err != nil || r.StatusCode != want {
			t.Errorf("If-Match %q: %v, %v", tag, r, err)
		}
	}
}

// A BMC may do what was asked, and its answer be lost.
func TestMute(t *testing.T) {
	b := start(t, bmctest.Config{Faults: []bmctest.Fault{{Kind: bmctest.Mute, Method: "PATCH"}}})
	r, _, err := send(t, "PATCH", b.URL()+bmctest.System, `{"AssetTag":"x"}`, nil)
	if !errors.Is(err, io.EOF) || b.Property(bmctest.System, "AssetTag") != "x" {
		t.Errorf("%v, %v; the tag is %v", r, err, b.Property(bmctest.System, "AssetTag"))
	}
}

func TestArrived(t *testing.T) {
	var seen []string
	b := start(t, bmctest.Config{Sessions: true, Arrived: func(r bmctest.Request) { seen = append(seen, r.String()+" "+r.Body) }})
	if _, _, err := send(t, "POST", b.URL()+bmctest.Sessions, `{"UserName":"a","Password":"secret"}`, nil); err != nil {
		t.Fatal(err)
	}
	if _, _, err := send(t, "POST", b.URL()+ejectAt, `{"x":1}`, basic); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(seen, "; "); got != "POST "+bmctest.Sessions+" 0 ; POST "+ejectAt+" 0 basic {\"x\":1}" {
		t.Errorf("told of %s", got)
	}
}
