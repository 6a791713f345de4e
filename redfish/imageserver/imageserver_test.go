package imageserver

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const image = "0123456789"

func serve(t *testing.T, address string) *Server {
	t.Helper()
	s, err := Listen(t.Context(), address, []byte(image))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// fetch sends one request over a connection of its own.
func fetch(t *testing.T, method, url string) (*http.Response, string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Close = true
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer, string(body), err
}

func TestFetches(t *testing.T) {
	for _, test := range []struct {
		method, header, value string
		status                int
		body                  string
		sent                  int64
	}{
		{"GET", "", "", 200, image, 10},
		{"HEAD", "", "", 200, "", 0},
		{"GET", "Range", "bytes=2-4", 206, "234", 3},
		{"GET", "Range", "bytes=-2", 206, "89", 2},
		{"GET", "Range", "bytes=90-", 416, "invalid range: failed to overlap\n", 0},
	} {
		s := serve(t, "127.0.0.1")
		offer := s.Offer()
		r := httptest.NewRequest(test.method, offer.URL, nil)
		r.Header.Set("User-Agent", "a BMC")
		if test.header != "" {
			r.Header.Set(test.header, test.value)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != test.status || w.Body.String() != test.body {
			t.Errorf("%s %s: got %d %q", test.method, test.value, w.Code, w.Body)
		}
		if test.status == 200 && (w.Header().Get("Content-Length") != "10" || w.Header().Get("Accept-Ranges") != "bytes") {
			t.Errorf("%s: %v", test.method, w.Header())
		}
		noted := offer.Fetches()
		if len(noted) != 1 {
			t.Fatalf("noted %v", noted)
		}
		if f := noted[0]; f.Bytes != test.sent || f.Method != test.method || f.Range != test.value || f.UserAgent != "a BMC" ||
			f.Source != r.RemoteAddr || f.Time.IsZero() {
			t.Errorf("noted %+v", f)
		}
		ended, cancel := context.WithCancel(t.Context())
		if test.sent == 0 {
			cancel()
		}
		f, err := offer.Wait(ended)
		cancel()
		if (test.sent == 0) != errors.Is(err, context.Canceled) || test.sent > 0 && f != noted[0] {
			t.Errorf("%s %s: waiting gave %+v, %v", test.method, test.value, f, err)
		}
	}
}

func TestOnlyWhatIsOnOffer(t *testing.T) {
	s := serve(t, "127.0.0.1")
	offer, other := s.Offer(), s.Offer()
	if offer.URL == other.URL || !strings.HasSuffix(offer.URL, ".iso") {
		t.Errorf("URLs %s and %s", offer.URL, other.URL)
	}
	for path, want := range map[string]int{"": 404, "/": 404, prefix: 404, prefix + "AAAAAAAAAAAAAAAAAAAAAAAAAA" + file: 404} {
		if answer, _, err := fetch(t, "GET", s.base+path); err != nil || answer.StatusCode != want {
			t.Errorf("%q: %v, %v", path, answer, err)
		}
	}
	if answer, _, err := fetch(t, "PUT", offer.URL); err != nil || answer.StatusCode != 405 {
		t.Errorf("PUT: %v, %v", answer, err)
	}
	offer.Withdraw()
	if answer, _, err := fetch(t, "GET", offer.URL); err != nil || answer.StatusCode != 404 {
		t.Errorf("withdrawn: %v, %v", answer, err)
	}
	if len(offer.Fetches())+len(other.Fetches()) != 0 {
		t.Errorf("noted %v and %v", offer.Fetches(), other.Fetches())
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, _, err := fetch(t, "GET", other.URL); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("after Close: %v", err)
	}
}

func TestIPv6(t *testing.T) {
	for _, address := range []string{"::1", "[::1]", "[::1]:0"} {
		s := serve(t, address)
		offer := s.Offer()
		if !strings.HasPrefix(offer.URL, "http://[::1]:") {
			t.Errorf("URL %s", offer.URL)
		}
		if _, body, err := fetch(t, "GET", offer.URL); err != nil || body != image {
			t.Errorf("%q, %v", body, err)
		}
		if f, err := offer.Wait(t.Context()); err != nil || f.Bytes != 10 || !strings.HasPrefix(f.Source, "[::1]:") {
			t.Errorf("noted %+v, %v", f, err)
		}
	}
}

func TestListenErrors(t *testing.T) {
	taken := serve(t, "127.0.0.1")
	u, _ := url.Parse(taken.base)
	for address, want := range map[string]string{
		"":                    "no host or host:port",
		"http://192.0.2.1":    "no host or host:port",
		"192.0.2.1:x":         "no host or host:port",
		"192.0.2.1:65536":     "no host or host:port",
		"2001:db8::1:80:x:zz": "no host or host:port",
		"0.0.0.0":             "every address",
		"[::]:80":             "every address",
		"fe80::1":             "link-local",
		"[fe80::1%eth0]:80":   "link-local",
		"169.254.1.1:80":      "link-local",
		u.Host:                "address already in use",
		"192.0.2.1":           "cannot assign requested address",
	} {
		if s, err := Listen(t.Context(), address, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v", address, s, err)
		}
	}
}

func TestOwn(t *testing.T) {
	s := serve(t, "127.0.0.1")
	good := s.Offer().URL
	for address, want := range map[string]bool{
		good: true, "http://[2001:db8::1]:80" + strings.TrimPrefix(good, s.base): true,
		"": false, "None": false, "http://192.0.2.1/boot.iso": false, good + "?x": false, strings.ToLower(good): false,
		strings.Replace(good, "http:", "https:", 1): false, strings.TrimPrefix(good, s.base): false, "http://a b" + prefix: false,
		strings.Replace(good, prefix, prefix+"x/", 1): false,
	} {
		if Own(address) != want {
			t.Errorf("%q: %v", address, !want)
		}
	}
}

func TestTowards(t *testing.T) {
	for _, test := range []struct{ family, endpoint, want string }{
		{"tcp", "127.0.0.1:443", "127.0.0.1"}, {"tcp4", "localhost:443", "127.0.0.1"}, {"tcp6", "[::1]:443", "::1"},
	} {
		got, err := Towards(t.Context(), net.DefaultResolver, test.family, test.endpoint)
		if err != nil || got != test.want {
			t.Errorf("%+v: got %s, %v", test, got, err)
		}
	}
	if _, err := Towards(t.Context(), net.DefaultResolver, "tcp4", "[::1]:443"); err == nil || !strings.Contains(err.Error(), "looking up the route to [::1]:443") {
		t.Errorf("a BMC of the other family: %v", err)
	}
}
