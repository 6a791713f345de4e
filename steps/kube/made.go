package kube

import (
	"context"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/labrun/labrun/pipeline"
)

// Entries gives what the inventory of a lab holds, by kind, namespace and name.
func (c *Cluster) Entries(ctx context.Context, lab string) ([]Entry, error) {
	i := c.inventoryOf(InventoryName(lab))
	entries, err := i.all(ctx)
	return entries, explain(c, "reading", "ConfigMap "+InventoryNamespace+"/"+i.name, "labrun", err)
}

// Made gives what the inventory of a lab holds, by step and key.
func (c *Cluster) Made(ctx context.Context, lab string) ([]pipeline.Orphan, error) {
	entries, err := c.Entries(ctx, lab)
	if err != nil {
		return nil, err
	}
	var made []pipeline.Orphan
	for _, e := range entries {
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
