package machine

import (
	"context"
	"fmt"
	"slices"

	"github.com/labrun/labrun/internal/sim/world"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const infraEnvLabel = "infraenvs.agent-install.openshift.io"

func empty(kind string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(schema.GroupVersionKind{Group: "agent-install.openshift.io", Version: "v1beta1", Kind: kind})
	return u
}

// registry is where live images' agents register: the assisted-service, in effect.
type registry struct {
	client client.Client
	reader client.Reader // the server's own answer
	cache  client.Reader // watched: what is read at each look
}

// infraEnv looks the InfraEnv with this UID up in all namespaces; nil where there is none.
func (r registry) infraEnv(ctx context.Context, uid string) (*unstructured.Unstructured, error) {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(schema.GroupVersionKind{Group: "agent-install.openshift.io", Version: "v1beta1", Kind: "InfraEnvList"})
	if err := r.reader.List(ctx, list); err != nil {
		return nil, fmt.Errorf("listing InfraEnvs: %w", err)
	}
	for i := range list.Items {
		if string(list.Items[i].GetUID()) == uid {
			return &list.Items[i], nil
		}
	}
	return nil, nil
}

// register makes the machine's Agent where there is none, and says whether its agent is in touch. known is false where
// the InfraEnv does not exist (any more): its service turns the agent away.
func (r registry) register(ctx context.Context, m world.Machine, infraEnvID, contact string) (known bool, err error) {
	env, err := r.infraEnv(ctx, infraEnvID)
	if err != nil || env == nil || env.GetDeletionTimestamp() != nil {
		return false, err
	}
	agent := empty("Agent")
	key := types.NamespacedName{Namespace: env.GetNamespace(), Name: m.UUID}
	err = r.reader.Get(ctx, key, agent)
	if err != nil && !apierrors.IsNotFound(err) {
		return true, fmt.Errorf("reading Agent %s: %w", key, err)
	}
	if err != nil {
		agent = empty("Agent")
		agent.SetNamespace(key.Namespace)
		agent.SetName(key.Name)
		agent.SetLabels(map[string]string{infraEnvLabel: env.GetName()})
		agent.SetAnnotations(map[string]string{Contact: contact})
		agent.Object["spec"] = map[string]any{"approved": false, "role": ""}
		if err := r.client.Create(ctx, agent); err != nil {
			return true, fmt.Errorf("registering Agent %s: %w", key, err)
		}
	}
	return true, r.report(ctx, agent, m, contact)
}

// report writes what the agent found, where that is not there yet, and whether it is in touch.
func (r registry) report(ctx context.Context, agent *unstructured.Unstructured, m world.Machine, contact string) error {
	if _, found, _ := unstructured.NestedMap(agent.Object, "status", "inventory"); !found {
		original := agent.DeepCopy()
		content := inventory(m)
		content["reportTime"] = metav1.Now().UTC().Format("2006-01-02T15:04:05Z")
		if err := unstructured.SetNestedMap(agent.Object, content, "status", "inventory"); err != nil {
			return fmt.Errorf("writing the inventory of Agent %s: %w", agent.GetName(), err)
		}
		if err := r.client.Status().Patch(ctx, agent, client.MergeFrom(original)); err != nil {
			return fmt.Errorf("writing the inventory of Agent %s: %w", agent.GetName(), err)
		}
	}
	return r.contact(ctx, agent, contact)
}

func (r registry) contact(ctx context.Context, agent *unstructured.Unstructured, value string) error {
	notes := agent.GetAnnotations()
	if notes[Contact] == value {
		return nil
	}
	original := agent.DeepCopy()
	if notes == nil {
		notes = map[string]string{}
	}
	notes[Contact] = value
	agent.SetAnnotations(notes)
	if err := r.client.Patch(ctx, agent, client.MergeFrom(original)); err != nil {
		return client.IgnoreNotFound(fmt.Errorf("touching Agent %s: %w", agent.GetName(), err))
	}
	return nil
}

// agents are the Agents of a machine, in all namespaces.
func (r registry) agents(ctx context.Context, uuid string) ([]unstructured.Unstructured, error) {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(schema.GroupVersionKind{Group: "agent-install.openshift.io", Version: "v1beta1", Kind: "AgentList"})
	if err := r.cache.List(ctx, list); err != nil {
		return nil, fmt.Errorf("listing Agents: %w", err)
	}
	return slices.DeleteFunc(list.Items, func(a unstructured.Unstructured) bool { return a.GetName() != uuid }), nil
}

// installed says that the machine runs from its disk.
func installed(agent *unstructured.Unstructured) bool {
	stage, _, _ := unstructured.NestedString(agent.Object, "status", "progress", "currentStage")
	return slices.Contains([]string{"Rebooting", "Configuring", "Joined", "Done"}, stage)
}

// lost marks the Agents of a machine whose agent is not in touch any more.
func (r registry) lost(ctx context.Context, uuid string) error {
	found, err := r.agents(ctx, uuid)
	if err != nil {
		return err
	}
	for i := range found {
		if !installed(&found[i]) {
			if err := r.contact(ctx, &found[i], "false"); err != nil {
				return err
			}
		}
	}
	return nil
}
