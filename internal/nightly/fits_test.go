package nightly

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// spare is what a night needs beside the rebuild and the pauses: for the pre-flight,
// the end of the steps, and the reports.
const spare = 15 * time.Minute

var setting = regexp.MustCompile(`\$\{(NIGHTLY_\w+)(?::-([^}]*))?\}`)

// settings are those of the script, by name, with their defaults.
func settings(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, script))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, m := range setting.FindAllStringSubmatch(string(text), -1) {
		if all[m[1]] == "" {
			all[m[1]] = m[2]
		}
	}
	if len(all) != 9 {
		t.Fatalf("settings: %v", all)
	}
	return all
}

// nightFits checks that the script has each of the settings, and that the CI's limit
// is longer than a night with them can be.
func nightFits(t *testing.T, given time.Duration, set map[string]string) {
	t.Helper()
	all := settings(t)
	value := func(name string) string {
		if set[name] != "" {
			return set[name]
		}
		return all[name]
	}
	for name := range set {
		if _, known := all[name]; strings.HasPrefix(name, "NIGHTLY_") && !known {
			t.Errorf("the script has no setting %s", name)
		}
	}
	limit, err := time.ParseDuration(value("NIGHTLY_LIMIT"))
	if err != nil {
		t.Fatal(err)
	}
	tries, err := strconv.Atoi(value("NIGHTLY_TRIES"))
	if err != nil {
		t.Fatal(err)
	}
	pause, err := strconv.Atoi(value("NIGHTLY_PAUSE"))
	if err != nil {
		t.Fatal(err)
	}
	longest := limit + time.Duration((tries-1)*pause)*time.Second + spare
	if given < longest {
		t.Errorf("the CI ends a night after %s, and it may take %s", given, longest)
	}
}
