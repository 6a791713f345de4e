package controlplane

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

const crdPath = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"

// Install creates definitions and returns when each is established and found by discovery, so that the next request
// for such an object is served. One that is there already stays as it is. It also serves to bring definitions
// later, as an operator's installation does.
func (cp *ControlPlane) Install(ctx context.Context, definitions ...CRD) error {
	if len(definitions) == 0 {
		return nil
	}
	creates, inner := errgroup.WithContext(ctx)
	creates.SetLimit(8)
	for _, crd := range definitions {
		creates.Go(func() error { return cp.create(inner, crd) })
	}
	if err := creates.Wait(); err != nil {
		return err
	}
	if err := cp.awaitEstablished(ctx, definitions); err != nil {
		return err
	}
	return cp.awaitDiscovery(ctx, definitions)
}

func (cp *ControlPlane) create(ctx context.Context, crd CRD) error {
	_, err := cp.ask(ctx, http.MethodPost, crdPath, crd.JSON)
	var status *statusError
	if errors.As(err, &status) && status.code == http.StatusConflict {
		return nil
	}
	if err != nil {
		return fmt.Errorf("installing CustomResourceDefinition %s: %w", crd.Name, err)
	}
	return nil
}

// crdEvent is as much of a watch event as is needed: decoding a whole definition costs ten times as much.
type crdEvent struct {
	Type   string
	Object struct {
		Metadata struct{ Name string }
		Message  string // of an error
		Status   struct {
			Conditions []struct{ Type, Status, Reason, Message string }
		}
	}
}

func (cp *ControlPlane) awaitEstablished(ctx context.Context, definitions []CRD) error {
	missing := map[string]string{} // name → what was last seen
	for _, crd := range definitions {
		missing[crd.Name] = "no condition"
	}
	events, err := cp.open(ctx, http.MethodGet, crdPath+"?watch=1", nil)
	if err != nil {
		return err
	}
	defer events.Close()
	decoder := json.NewDecoder(events)
	for len(missing) > 0 {
		var e crdEvent
		if err := decoder.Decode(&e); err != nil {
			return fmt.Errorf("waiting for CustomResourceDefinitions to be established: %w; not yet: %s", errors.Join(context.Cause(ctx), err), list(missing))
		}
		if e.Type == "ERROR" {
			return fmt.Errorf("watching CustomResourceDefinitions: %s", e.Object.Message)
		}
		e.note(missing)
	}
	return nil
}

func (e crdEvent) note(missing map[string]string) {
	name := e.Object.Metadata.Name
	if _, wanted := missing[name]; !wanted {
		return
	}
	for _, c := range e.Object.Status.Conditions {
		switch {
		case c.Type == "Established" && c.Status == "True":
			delete(missing, name)
			return
		case c.Status == "False":
			missing[name] = c.Reason + " " + c.Message
		}
	}
}

// awaitDiscovery asks for the list of all kinds until it holds the new ones: it can be had by asking only, and follows
// the Established condition by some tenths of a second.
func (cp *ControlPlane) awaitDiscovery(ctx context.Context, definitions []CRD) error {
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for {
		missing, err := cp.undiscovered(ctx, definitions)
		if err != nil || len(missing) == 0 {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("waiting for the API server to serve what was installed: %w; not yet: %s", context.Cause(ctx), list(missing))
		}
	}
}

type discovery struct {
	Items []struct {
		Metadata struct{ Name string }
		Versions []struct {
			Version   string
			Resources []struct{ Resource string }
		}
	}
}

func (cp *ControlPlane) undiscovered(ctx context.Context, definitions []CRD) (map[string]string, error) {
	said, err := cp.ask(ctx, http.MethodGet, "/apis", nil)
	if err != nil {
		return nil, err
	}
	var groups discovery
	if err := json.Unmarshal(said, &groups); err != nil {
		return nil, fmt.Errorf("reading the list of API groups: %w", err)
	}
	known := map[resource]bool{}
	for _, g := range groups.Items {
		for _, v := range g.Versions {
			for _, r := range v.Resources {
				known[resource{g.Metadata.Name, v.Version, r.Resource}] = true
			}
		}
	}
	missing := map[string]string{}
	for _, crd := range definitions {
		for _, r := range crd.served() {
			if !known[r] {
				missing[crd.Name] = r.version + " not in discovery"
			}
		}
	}
	return missing, nil
}

func list(missing map[string]string) string {
	var parts []string
	for name, why := range missing {
		parts = append(parts, name+" ("+why+")")
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}
