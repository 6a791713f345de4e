package redfish

import (
	"slices"
	"testing"

	"github.com/labrun/labrun/redfish/bmctest"
)

// No check passes on a body that lacks the property it is about, or has it as null or of another type.
func TestNoCheckPassesOnWhatIsNotSaid(t *testing.T) {
	about := map[string][]string{
		bmctest.Root:    {"root"},
		bmctest.Systems: {}, // read for the login alone where the address has a path
		bmctest.System:  {"system", "power", "health", "reset", "boot-mac", "link", "media", "media-type", "media-action", "media-busy", "boot-override", "boot-mode"},
		bmctest.NICs:    {"boot-mac", "link"},
		bmctest.NIC:     {"boot-mac", "link"},
		bmctest.Media:   {"media", "media-type", "media-action", "media-busy"},
		bmctest.Slot:    {"media-type", "media-action", "media-busy"},
		bmctest.Manager: {},
	}
	replacements := map[string]func(map[string]any) map[string]any{
		"missing": func(map[string]any) map[string]any { return map[string]any{} },
		"null":    func(body map[string]any) map[string]any { return replaced(body, nil) },
		"number":  func(body map[string]any) map[string]any { return replaced(body, 7) },
		"text":    func(body map[string]any) map[string]any { return replaced(body, "?") },
		"list":    func(body map[string]any) map[string]any { return replaced(body, []any{nil, 7, "?", []any{}}) },
		"object":  func(body map[string]any) map[string]any { return replaced(body, map[string]any{"a": 1}) },
	}
	for path := range bmctest.Small() {
		checks, ok := about[path]
		if !ok {
			t.Errorf("%s is in no row", path)
		}
		for name, replace := range replacements {
			tree := bmctest.Small()
			tree[path] = replace(tree[path])
			r := ask(t, hostAt(start(t, bmctest.Config{Tree: tree})), Options{})
			for _, c := range r.Checks {
				free := path == bmctest.Slot && c.ID == "media-busy" && name == "null" // an Image of null is an empty slot
				if slices.Contains(checks, c.ID) && c.Status == Pass && !free {
					t.Errorf("%s, everything %s: %s passes: %s", path, name, c.ID, c.Seen)
				}
			}
		}
	}
}

func replaced(body map[string]any, value any) map[string]any {
	out := map[string]any{}
	for name := range body {
		out[name] = value
	}
	return out
}
