package assisted

import (
	"context"
	"fmt"
	"time"

	"github.com/labrun/labrun/internal/sim/players/machine"
	"github.com/labrun/labrun/internal/sim/players/obj"
	apps "k8s.io/api/apps/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

type agentSpec struct {
	Approved bool   `json:"approved"`
	Hostname string `json:"hostname"`
	Role     string `json:"role"`
	Disk     string `json:"installation_disk_id"`
	Cluster  *struct {
		Name string `json:"name"`
	} `json:"clusterDeploymentName"`
}

func (s *service) watchAgents(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).Named("agent").
		For(obj.New(obj.AgentInstall, "Agent", "", "")).
		Watches(&apps.Deployment{}, s.everyone(obj.AgentInstall, "Agent")).
		Complete(by(s.agent))
}

// agent takes one host a step further in its life.
func (s *service) agent(ctx context.Context, key client.ObjectKey) (ctrl.Result, error) {
	was, err := obj.Get(ctx, s, obj.AgentInstall, "Agent", key.Namespace, key.Name)
	if err != nil || was == nil || was.GetDeletionTimestamp() != nil {
		return ctrl.Result{}, err
	}
	env, err := s.running(ctx)
	if err != nil || env == nil {
		return ctrl.Result{}, err
	}
	if changed, err := s.followInfraEnv(ctx, was); err != nil || changed {
		return ctrl.Result{}, err
	}
	spec, err := obj.Decode[agentSpec](was, "spec")
	if err != nil {
		return ctrl.Result{}, err
	}
	host, err := obj.Decode[inventory](was, "status", "inventory")
	if err != nil {
		return ctrl.Result{}, err
	}
	now := was.DeepCopy()
	left := s.advance(now, spec, host)
	if eventsURL := env["SERVICE_BASE_URL"]; eventsURL != "" {
		obj.Set(now, fmt.Sprintf("%s/api/assisted-install/v2/events?host_id=%s", eventsURL, key.Name), "status", "debugInfo", "eventsURL")
	}
	return ctrl.Result{RequeueAfter: left}, obj.WriteStatus(ctx, s, was, now)
}

// followInfraEnv makes the Agent go when its InfraEnv goes.
func (s *service) followInfraEnv(ctx context.Context, was *unstructured.Unstructured) (bool, error) {
	name := was.GetLabels()[infraEnvLabel]
	if name == "" || len(was.GetOwnerReferences()) > 0 {
		return false, nil
	}
	infraEnv, err := obj.Get(ctx, s, obj.AgentInstall, "InfraEnv", was.GetNamespace(), name)
	if err != nil || infraEnv == nil {
		return false, err
	}
	with := was.DeepCopy()
	with.SetOwnerReferences([]meta.OwnerReference{{APIVersion: obj.AgentInstall, Kind: "InfraEnv", Name: name, UID: infraEnv.GetUID()}})
	return obj.Write(ctx, s, was, with)
}

// advance writes the Agent's status as of now, and gives the time until its next step.
func (s *service) advance(a *unstructured.Unstructured, spec agentSpec, host inventory) time.Duration {
	known := len(host.Interfaces) > 0
	var results []validation
	if known {
		results = validate(host, spec.Hostname, !s.world.Faults.On("agent-validation"))
	}
	failed := failures(results)
	at := situation{
		state: obj.String(a, "status", "debugInfo", "state"), stage: obj.String(a, "status", "progress", "currentStage"),
		lost:  a.GetAnnotations()[machine.Contact] == "false",
		known: known, valid: known && failed == "", approved: spec.Approved, wanted: spec.Cluster != nil && spec.Cluster.Name != "",
		wrongBoot: s.world.Faults.On("install-pending-user-action"),
	}
	to := next(at)
	var left time.Duration
	if moved := to.state != at.state || to.stage != at.stage; moved {
		key := fmt.Sprintf("%s/%s/%s", a.GetUID(), at.state, at.stage)
		if to.delay != "" {
			left = s.clock.Left(key, s.lasts(to.delay))
		}
		if left == 0 {
			s.clock.Forget(string(a.GetUID()))
			left = time.Millisecond // at once, but one step after the other
		} else {
			to.state, to.stage = at.state, at.stage
		}
	}
	view := hostView{state: to.state, stage: to.stage, approved: spec.Approved, failed: failed, specFault: judgeDisk(host.Disks, spec.Disk), disk: diskText(host.Disks, spec.Disk)}
	if to.state != stateDiscoveringUnbound && known {
		view.validated = true
		obj.Set(a, asStatus(results), "status", "validationsInfo")
	}
	if to.state == stateInsufficient && failed == "" {
		view.failed = "Host couldn't yet be checked against its new cluster"
	}
	describe(a, view, spec)
	return left
}

func describe(a *unstructured.Unstructured, v hostView, spec agentSpec) {
	obj.Set(a, v.state, "status", "debugInfo", "state")
	obj.Set(a, v.info(), "status", "debugInfo", "stateInfo")
	if spec.Role != "" {
		obj.Set(a, spec.Role, "status", "role")
	}
	if spec.Disk != "" && v.specFault == "" {
		obj.Set(a, spec.Disk, "status", "installation_disk_id")
	}
	for _, c := range v.conditions() {
		obj.SetCondition(a, c)
	}
	if v.stage == "" {
		unstructured.RemoveNestedField(a.Object, "status", "progress")
		return
	}
	if obj.String(a, "status", "progress", "currentStage") == v.stage {
		return
	}
	var names []any
	var percent int64
	for _, i := range installStages() {
		names = append(names, i.name)
		if i.name == v.stage {
			percent = i.percent
		}
	}
	time := time.Now().UTC().Format(time.RFC3339)
	obj.Set(a, map[string]any{
		"currentStage": v.stage, "installationPercentage": percent, "progressStages": names, "stageStartTime": time, "stageUpdateTime": time,
	}, "status", "progress")
}
