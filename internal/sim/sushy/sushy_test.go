package sushy_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/labrun/labrun/internal/sim/proc"
	"github.com/labrun/labrun/internal/sim/sushy"
	"github.com/labrun/labrun/internal/sim/sushy/sushytest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const user, password = "admin", `s3cret: "with" {quotes} #`

// call sends one request and gives the status and the answer; its error is one of the connection.
func call(t *testing.T, client *http.Client, method, url, pass, body string) (int, map[string]any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true
	request.Header.Set("Content-Type", "application/json")
	if pass != "" {
		request.SetBasicAuth(user, pass)
	}
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	var object map[string]any
	_ = json.Unmarshal(text, &object)
	return answer.StatusCode, object
}

func TestEmulator(t *testing.T) {
	start := time.Now()
	bmc := sushytest.ForTest(t, sushy.Options{
		User: user, Password: password, QuickPower: true,
		Systems: []sushy.System{sushytest.System(0), sushytest.System(1)},
	})
	t.Logf("started in %s", time.Since(start))
	ask := func(method, url, body string) (int, map[string]any) {
		t.Helper()
		return call(t, http.DefaultClient, method, url, password, body)
	}
	t.Run("password", func(t *testing.T) {
		for pass, want := range map[string]int{"": 401, "wrong": 401, password: 200} {
			if got, _ := call(t, http.DefaultClient, "GET", bmc.URL()+"/redfish/v1/Systems", pass, ""); got != want {
				t.Errorf("with password %q: HTTP %d, want %d", pass, got, want)
			}
		}
	})
	t.Run("systems", func(t *testing.T) {
		_, list := ask("GET", bmc.URL()+"/redfish/v1/Systems", "")
		if n := list["Members@odata.count"]; n != 2.0 {
			t.Errorf("%v systems, want 2", n)
		}
		_, nics := ask("GET", bmc.SystemURL("worker1")+"/EthernetInterfaces", "")
		if text, _ := json.Marshal(nics["Members"]); !strings.Contains(string(text), "52:54:00:00:01:01") {
			t.Errorf("interfaces %s", text)
		}
	})
	t.Run("power", func(t *testing.T) {
		system := bmc.SystemURL("worker0")
		if code, said := ask("POST", system+"/Actions/ComputerSystem.Reset", `{"ResetType":"On"}`); code/100 != 2 {
			t.Fatalf("reset: HTTP %d %v", code, said)
		}
		if _, got := ask("GET", system, ""); got["PowerState"] != "On" {
			t.Errorf("power is %v after On", got["PowerState"])
		}
		if _, got := ask("GET", bmc.SystemURL("worker1"), ""); got["PowerState"] != "Off" {
			t.Errorf("power of the other system is %v", got["PowerState"])
		}
	})
	t.Run("media", func(t *testing.T) { media(t, bmc, ask) })
}

func media(t *testing.T, bmc *sushy.Emulator, ask func(string, string, string) (int, map[string]any)) {
	fetched := make(chan string, 9)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fetched <- r.Method + " " + r.URL.Path
		_, _ = io.WriteString(w, "an image")
	}))
	defer web.Close()
	slot := bmc.SystemURL("worker0") + "/VirtualMedia/Cd"
	if code, said := ask("POST", slot+"/Actions/VirtualMedia.InsertMedia", `{"Image":"`+web.URL+`/x.iso"}`); code/100 != 2 {
		t.Fatalf("insert: HTTP %d %v", code, said)
	}
	if got := <-fetched; got != "GET /x.iso" {
		t.Errorf("the BMC asked %s", got)
	}
	if _, got := ask("GET", slot, ""); got["Inserted"] != true || got["Image"] != web.URL+"/x.iso" {
		t.Errorf("slot holds %v, %v", got["Inserted"], got["Image"])
	}
	kept, _ := filepath.Glob(filepath.Join(filepath.Dir(bmc.Log()), "images", "*"))
	if len(kept) == 0 {
		t.Error("the image that it fetched does not stand below its folder")
	}
	if code, _ := ask("POST", slot+"/Actions/VirtualMedia.EjectMedia", `{}`); code/100 != 2 {
		t.Errorf("eject: HTTP %d", code)
	}
}

func TestIPv6AndTLS(t *testing.T) {
	web := httptest.NewUnstartedServer(nil)
	web.StartTLS()
	cert, key := writeCertificate(t, web)
	web.Close()
	bmc := sushytest.ForTest(t, sushy.Options{
		ListenIP: "::1", Certificate: cert, Key: key, FeatureSet: "vmedia",
		Systems: []sushy.System{sushytest.System(0)},
		Devices: map[string]sushy.Device{"Floppy": {Name: "Floppy", MediaTypes: []string{"Floppy"}}},
	})
	if !strings.HasPrefix(bmc.URL(), "https://[::1]:") {
		t.Errorf("URL is %s", bmc.URL())
	}
	_, slots := call(t, insecure(), "GET", bmc.SystemURL("worker0")+"/VirtualMedia", "", "")
	if n := slots["Members@odata.count"]; n != 1.0 {
		t.Errorf("%v slots, want 1", n)
	}
}

func TestEnds(t *testing.T) {
	assets := sushytest.Need(t)
	ctx, cancel := context.WithCancel(t.Context())
	bmc, err := sushy.Start(ctx, sushy.Options{Dir: t.TempDir(), Assets: assets})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	select {
	case <-bmc.Done():
	case <-time.After(10 * time.Second):
		t.Error("it outlives its context")
	}
	if err := bmc.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestFailures(t *testing.T) {
	t.Run("not installed", func(t *testing.T) {
		_, err := sushy.Start(t.Context(), sushy.Options{Dir: t.TempDir(), Assets: proc.Assets{Dir: t.TempDir()}})
		if !errors.Is(err, proc.ErrNoAssets) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("certificate without key", func(t *testing.T) {
		if _, err := sushy.Start(t.Context(), sushy.Options{Dir: t.TempDir(), Certificate: "x"}); err == nil || !strings.Contains(err.Error(), "needs its key") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("it ends by itself", func(t *testing.T) {
		none := filepath.Join(t.TempDir(), "none.pem")
		_, err := sushy.Start(t.Context(), sushy.Options{Dir: t.TempDir(), Assets: sushytest.Need(t), Certificate: none, Key: none})
		if err == nil || !strings.Contains(err.Error(), "No such file") {
			t.Errorf("got %v", err)
		}
	})
}
