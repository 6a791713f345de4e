package assisted

import (
	"context"
	"slices"

	"github.com/labrun/labrun/internal/sim/players/obj"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const configFinalizer = "agentserviceconfig.agent-install.openshift.io/ai-deprovision"

// holdConfig sees to the finalizer: the image service's claims have no owner, and go before the configuration does.
// done is true where there is nothing more to do now.
func (s *service) holdConfig(ctx context.Context, was *unstructured.Unstructured) (done bool, err error) {
	with := was.DeepCopy()
	held := slices.Contains(was.GetFinalizers(), configFinalizer)
	switch {
	case was.GetDeletionTimestamp() != nil:
		if err := s.removeImageService(ctx); err != nil {
			return true, err
		}
		with.SetFinalizers(slices.DeleteFunc(with.GetFinalizers(), func(f string) bool { return f == configFinalizer }))
		done = true
	case !held:
		with.SetFinalizers(append(with.GetFinalizers(), configFinalizer))
		done = true
	}
	_, err = obj.Write(ctx, s, was, with)
	return done, err
}

func (s *service) removeImageService(ctx context.Context) error {
	set := &apps.StatefulSet{ObjectMeta: meta.ObjectMeta{Namespace: home, Name: imageService}}
	if err := s.Delete(ctx, set); client.IgnoreNotFound(err) != nil {
		return err
	}
	claims := &core.PersistentVolumeClaimList{}
	if err := s.List(ctx, claims, client.InNamespace(home), client.MatchingLabels{"app": imageService}); err != nil {
		return err
	}
	for n := range claims.Items {
		if err := s.Delete(ctx, &claims.Items[n]); client.IgnoreNotFound(err) != nil {
			return err
		}
	}
	return nil
}
