package canary

import (
	"encoding/base64"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestIn(t *testing.T) {
	var c Cage
	c.Put("word", "staple-kite")
	c.Put("signs", `a"b\cö<d`)
	c.Put("key", "-----BEGIN KEY-----\nMIIEvQIBADAN\nshort\n-----END KEY-----\n")
	b64 := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	for text, want := range map[string][]string{
		"nothing, -----BEGIN KEY-----, short":    nil,
		"a staple-kite":                          {"word"},
		strconv.Quote(`a"b\cö<d`):                {"signs"},
		strconv.QuoteToASCII(`a"b\cö<d`):         {"signs"},
		`{"a":"a\"b\\cö\u003cd"}`:                {"signs"},
		"?x=" + url.QueryEscape(`a"b\cö<d`):      {"signs"},
		b64("staple-kite"):                       {"word"},
		b64("u:staple-kite"):                     {"word"},
		b64("us:staple-kite"):                    {"word"},
		b64("-----BEGIN KEY-----\nMIIEvQIBADAN"): {"key"},
		"staple-kite MIIEvQIBADAN":               {"word", "key"},
	} {
		if d := cmp.Diff(want, c.In([]byte(text))); d != "" {
			t.Errorf("%q (-want +got):\n%s", text, d)
		}
	}
}

func TestWalk(t *testing.T) {
	var c Cage
	c.Put("word", "staple-kite")
	dir := t.TempDir()
	for name, text := range map[string]string{"a": "clean", "b": "a staple-kite", "staple-kite.txt": "", "kept": "staple-kite"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	found, err := c.Walk(dir, func(path string) bool { return path == "kept" })
	if d := cmp.Diff(map[string][]string{"b": {"word"}, "staple-kite.txt": {"word"}}, found); d != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
	if _, err := c.Walk(filepath.Join(dir, "nowhere"), nil); err == nil {
		t.Error("a folder that is not there was searched")
	}
}
