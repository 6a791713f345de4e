package images

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/labrun/labrun/internal/sim/players/machine"
)

func start(t *testing.T) *Server {
	t.Helper()
	s, err := Start("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// get asks without keeping the connection.
func get(t *testing.T, url, part string) (int, []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true
	if part != "" {
		request.Header.Set("Range", part)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, content
}

func TestRHCOSInParts(t *testing.T) {
	url := start(t).RHCOS("rhcos-9.6-live.iso")
	if code, content := get(t, url, "bytes=0-4"); code != http.StatusPartialContent || string(content) != "rhcos" {
		t.Errorf("HTTP %d, %q", code, content)
	}
}

func TestBootImage(t *testing.T) {
	s := start(t)
	boot, err := s.Serve(context.Background(), s.Discovery("the-id", "", "x86_64"), "node")
	if err != nil {
		t.Fatal(err)
	}
	_, content := get(t, boot, "")
	if id, err := machine.InfraEnvID(content); err != nil || id != "the-id" {
		t.Errorf("the boot image carries %q, %v", id, err)
	}
	s.Remove("node")
	if code, _ := get(t, boot, ""); code != http.StatusNotFound {
		t.Errorf("after its removal: HTTP %d", code)
	}
}

func TestBootImageRefused(t *testing.T) {
	s := start(t)
	_, err := s.Serve(context.Background(), s.root+"/nope.iso", "node")
	if err == nil || err.Error() != "Got HTTP code 404 instead of 200 in response to HEAD request." {
		t.Errorf("got %v", err)
	}
	if _, err := s.Serve(context.Background(), "http://127.0.0.1:1/x", "node"); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("got %v", err)
	}
}
