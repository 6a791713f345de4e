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

// Install creates definitions and returns when each is established, found by discovery and its storage set up, so
// that the next request for such an object is served at once. One that is there already stays as it is. It also serves to bring definitions
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
	if err := cp.awaitDiscovery(ctx, definitions); err != nil {
		return err
	}
	return cp.awaitStorage(ctx, definitions)
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
	for len(missing) > 0 {
		if err := cp.followEstablished(ctx, missing); err != nil {
			return err
		}
	}
	return nil
}

// followEstablished watches until no definition is missing or the server ends the
// watch, which a busy one may at any time: a new one begins with what there is.
func (cp *ControlPlane) followEstablished(ctx context.Context, missing map[string]string) error {
	events, err := cp.open(ctx, http.MethodGet, crdPath+"?watch=1", nil)
	if err != nil {
		return err
	}
	defer events.Close()
	decoder := json.NewDecoder(events)
	for len(missing) > 0 {
		var e crdEvent
		err := decoder.Decode(&e)
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("waiting for CustomResourceDefinitions to be established: %w; not yet: %s", context.Cause(ctx), list(missing))
		case err != nil:
			return nil
		case e.Type == "ERROR":
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

// awaitDiscovery asks for the list of all kinds until it holds the new ones, which follows the Established condition by
// some tenths of a second.
func (cp *ControlPlane) awaitDiscovery(ctx context.Context, definitions []CRD) error {
	return again(ctx, func() (map[string]string, error) { return cp.undiscovered(ctx, definitions) })
}

// awaitStorage asks for the objects of each new kind. At the first such request the API server sets up the kind's
// storage, answers "storage is (re)initializing" (429) and asks to come again after a second: a second that every
// client would lose at its first request for every kind.
func (cp *ControlPlane) awaitStorage(ctx context.Context, definitions []CRD) error {
	asks, inner := errgroup.WithContext(ctx)
	asks.SetLimit(8)
	for _, crd := range definitions {
		for _, r := range crd.served() {
			asks.Go(func() error {
				return again(inner, func() (map[string]string, error) { return cp.uninitialized(inner, crd.Name, r) })
			})
		}
	}
	return asks.Wait()
}

func (cp *ControlPlane) uninitialized(ctx context.Context, name string, r resource) (map[string]string, error) {
	_, err := cp.ask(ctx, http.MethodGet, "/apis/"+r.group+"/"+r.version+"/"+r.plural+"?limit=1", nil)
	var status *statusError
	if errors.As(err, &status) && status.code == http.StatusTooManyRequests {
		return map[string]string{name: "storage of " + r.version + " is initializing"}, nil
	}
	return nil, err
}

// again looks until nothing is missing, every 25 ms: for what can be had by asking only.
func again(ctx context.Context, look func() (missing map[string]string, err error)) error {
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for {
		missing, err := look()
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
