package kube

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// Patch gives an object as it is brought about, with the step's patch: for a step
// that compares it with what there is.
func Patch(o runtime.Object, p Patched) (*unstructured.Unstructured, error) {
	u, err := plain(o)
	if err != nil {
		return nil, err
	}
	patch, err := normalise(p.Patch)
	if err != nil {
		return nil, fmt.Errorf("reading the patch: %w", err)
	}
	mergePatch(u.Object, patch)
	return u, nil
}

// patchOf makes the embedded option known to the engine.
func (p Patched) patchOf() map[string]any { return p.Patch }

type patcher interface{ patchOf() map[string]any }

// mergePatch merges patch into target as a JSON merge patch (RFC 7396): maps
// merge, lists and scalars replace, null removes.
func mergePatch(target, patch map[string]any) {
	for key, value := range patch {
		switch value := value.(type) {
		case nil:
			delete(target, key)
		case map[string]any:
			below, ok := target[key].(map[string]any)
			if !ok {
				below = map[string]any{}
				target[key] = below
			}
			mergePatch(below, value)
		default:
			target[key] = value
		}
	}
}
