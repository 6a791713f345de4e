package steps

import (
	"encoding/json"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/pipeline/event"
)

// disks tells what was hinted at, and what the server has.
func (s Agent) disks(u *unstructured.Unstructured) []event.Line {
	hints := "none"
	if text, err := json.Marshal(rootDeviceHints(s.Worker.RootDeviceHints)); err == nil {
		hints = string(text)
	}
	var have []string
	list, _, _ := unstructured.NestedSlice(u.Object, "status", "inventory", "disks")
	for _, item := range list {
		if disk, ok := item.(map[string]any); ok {
			path, _ := disk["path"].(string)
			serial, _ := disk["serial"].(string)
			have = append(have, strings.TrimSpace(fmt.Sprintf("%s %s %d GB", path, serial, number(&unstructured.Unstructured{Object: disk}, "sizeBytes")/1e9)))
		}
	}
	return []event.Line{{Label: "hints", Text: hints}, {Label: "disks", Text: strings.Join(have, ", ")}}
}
