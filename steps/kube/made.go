package kube

import (
	"context"
	"maps"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/labrun/labrun/pipeline"
)

// Made gives what the inventory of a lab holds, by step and key.
func (c *Cluster) Made(ctx context.Context, lab string) ([]pipeline.Orphan, error) {
	i := c.inventoryOf(InventoryName(lab))
	i.mu.Lock()
	defer i.mu.Unlock()
	if err := i.load(ctx); err != nil {
		return nil, explain(c, "reading", "ConfigMap "+InventoryNamespace+"/"+i.name, "labrun", err)
	}
	var made []pipeline.Orphan
	for _, key := range slices.Sorted(maps.Keys(i.entries)) {
		e := i.entries[key]
		object := Ref{APIVersion: e.APIVersion, Kind: e.Kind, Namespace: e.Namespace, Name: e.Name}.String()
		n := slices.IndexFunc(made, func(m pipeline.Orphan) bool { return m.Step == e.Step && m.Key == e.Key })
		if n < 0 {
			n, made = len(made), append(made, pipeline.Orphan{Step: e.Step, Key: e.Key})
		}
		made[n].Objects = append(made[n].Objects, object)
	}
	return made, nil
}

// Answers asks whether the server answers, and its kubeconfig lets in.
func (c *Cluster) Answers(ctx context.Context) error {
	_, err := c.Get(ctx, Ref{APIVersion: "v1", Kind: "Namespace", Name: "kube-system"})
	if apierrors.IsForbidden(err) {
		return nil
	}
	return err
}
