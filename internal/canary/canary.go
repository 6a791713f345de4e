// Package canary looks for secrets where none may be: in texts, in the files of a
// folder, in the arguments of processes. It is for tests, and knows nothing of how
// secrets are masked: it looks for the spellings that it makes itself.
package canary

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Cage holds secrets, each under a name.
type Cage struct {
	names     []string
	spellings map[string][][]byte
}

// Put adds a secret: its lines of 8 bytes or more where there are several, but not
// the frame of a key.
func (c *Cage) Put(name, secret string) {
	if c.spellings == nil {
		c.spellings = map[string][][]byte{}
	}
	if !slices.Contains(c.names, name) {
		c.names = append(c.names, name)
	}
	lines := strings.Split(strings.TrimSpace(secret), "\n")
	for _, line := range lines {
		if len(lines) == 1 || len(line) >= 8 && !strings.HasPrefix(line, "-----") {
			c.spellings[name] = append(c.spellings[name], spell(line)...)
		}
	}
}

// spell gives the spellings of a line.
func spell(line string) [][]byte {
	var js bytes.Buffer
	enc := json.NewEncoder(&js)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(line) // of a text there is no error
	html, _ := json.Marshal(line)
	all := []string{line, unquoted(js.String()), unquoted(string(html)), unquoted(strconv.Quote(line)), unquoted(strconv.QuoteToASCII(line)), url.QueryEscape(line), url.PathEscape(line)}
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for shift := range 3 {
			text := encoding.EncodeToString([]byte("xyz"[:shift] + line))
			first := (8*shift + 5) / 6 // of what comes before, the first characters tell
			last := 8 * (shift + len(line)) / 6
			all = append(all, text[first:last])
		}
	}
	slices.Sort(all)
	var spellings [][]byte
	for _, s := range slices.Compact(all) {
		spellings = append(spellings, []byte(s))
	}
	return spellings
}

func unquoted(text string) string {
	return strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(text), `"`), `"`)
}

// In names the secrets that stand in a text.
func (c *Cage) In(text []byte) []string {
	var found []string
	for _, name := range c.names {
		if slices.ContainsFunc(c.spellings[name], func(s []byte) bool { return bytes.Contains(text, s) }) {
			found = append(found, name)
		}
	}
	return found
}

// Walk gives the secrets in the files of a folder, and in their names, by the
// file's path below it. Files that may hold them are left out.
func (c *Cage) Walk(dir string, may func(path string) bool) (map[string][]string, error) {
	found := map[string][]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(dir, path)
		if err != nil || may != nil && may(below) {
			return err
		}
		text := []byte(below + "\n")
		if d.Type().IsRegular() {
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text = append(text, content...)
		}
		if names := c.In(text); len(names) > 0 {
			found[below] = names
		}
		return nil
	})
	return found, err
}
