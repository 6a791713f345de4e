package metal3

import (
	"context"
	"errors"

	registration "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/labrun/labrun/internal/sim/players/admit"
	"github.com/labrun/labrun/internal/sim/players/obj"
)

const hostHook = "baremetalhost.metal3.io"

// serveHook lets the API server ask before it changes a BareMetalHost.
func serveHook(mgr ctrl.Manager) error {
	c, err := obj.Client(mgr)
	if err != nil {
		return err
	}
	server, err := admit.Listen(admit.Hook{
		Name: hostHook, Group: "metal3.io", Version: "v1alpha1", Resource: "baremetalhosts",
		Operations: []registration.OperationType{registration.Update},
		Judge:      func(_ context.Context, r admit.Request) error { return judgeChange(r.Old, r.Object) },
	})
	if err != nil {
		return err
	}
	if err := mgr.Add(server); err != nil {
		return err
	}
	return mgr.Add(manager.RunnableFunc(func(ctx context.Context) error { return server.Register(ctx, c, hostHook) }))
}

// judgeChange refuses that a host becomes another one.
func judgeChange(from, to *unstructured.Unstructured) error {
	before, err := parse(from)
	if err != nil {
		return err
	}
	after, err := parse(to)
	if err != nil {
		return err
	}
	var wrong []error
	if was := before.spec.BMC.Address; was != "" && after.spec.BMC.Address != was &&
		after.status.OperationalStatus != "detached" && after.status.Provisioning.State != "registering" {
		wrong = append(wrong, errors.New("BMC address can not be changed if the BMH is not in the Registering state, or if the BMH is not detached"))
	}
	if was := before.spec.BootMACAddress; was != "" && after.spec.BootMACAddress != was {
		wrong = append(wrong, errors.New("bootMACAddress can not be changed once it is set"))
	}
	if before.spec.ExternallyProvisioned != after.spec.ExternallyProvisioned {
		wrong = append(wrong, errors.New("externallyProvisioned can not be changed"))
	}
	return utilerrors.NewAggregate(wrong)
}
