package destroy

import (
	"context"
	"slices"
	"strings"

	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps/kube"
)

// Inventory deletes the inventories that are empty. An entry of a host that is left
// is a server that may still run, or boot the lab's image: it fails the undo, which can
// be run again.
type Inventory[E kube.Environment] struct{}

// InventoryOutputs is what the lab's inventory still holds.
type InventoryOutputs struct {
	Left []string `yaml:"left" doc:"objects that this undo kept"`
}

// Summary counts.
func (o InventoryOutputs) Summary() string {
	if len(o.Left) == 0 {
		return "the inventory is gone"
	}
	return "the inventory keeps " + count(len(o.Left), "object")
}

// Run deletes what is empty.
func (Inventory[E]) Run(ctx context.Context, env E) (InventoryOutputs, error) {
	out := InventoryOutputs{Left: []string{}}
	left, err := kube.CloseInventories(ctx, env)
	if err != nil {
		return out, err
	}
	var servers []string
	for _, e := range left {
		out.Left = append(out.Left, e.Ref().String())
		if e.Kind == "BareMetalHost" && kept(env, e) == "" {
			servers = append(servers, e.Name)
		}
	}
	if len(servers) == 0 {
		return out, nil
	}
	slices.Sort(servers)
	return out, &pipeline.Report{Report: event.Report{
		Title: count(len(servers), "server") + " may still be powered on, or have the lab's image in a drive: all else that was to go is gone",
		Lines: []event.Line{{Label: "servers", Text: strings.Join(servers, ", ")}},
		Next:  "mend their BMCs and run the same command again; where one is lost, take it out of the lab file and delete its Secret NAME-bmc first",
	}}
}

func kept[E kube.Environment](env E, e kube.Entry) string {
	if k, ok := any(env).(kube.Keeper); ok {
		return k.Keeps(e)
	}
	return ""
}
