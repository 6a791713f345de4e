package traps

import (
	"context"
	"encoding/base64"
	"fmt"
	"path/filepath"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/labrun/labrun/internal/sim/players/obj"
)

// object reads one YAML document with the lab's names filled in.
func (l *try) object(document string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(l.fill(document)), &u.Object); err != nil {
		l.Error(err)
	}
	return u
}

// makes gives a change by which somebody else makes an object.
func makes(document string) func(*try) {
	return func(l *try) {
		u := l.object(document)
		ns := &unstructured.Unstructured{}
		ns.SetAPIVersion("v1")
		ns.SetKind("Namespace")
		ns.SetName(u.GetNamespace())
		if ns.GetName() != "" {
			_ = l.site.admin.Create(l.Context(), ns) // there already, as a rule
		}
		if err := l.site.admin.Create(l.Context(), u, client.FieldOwner("somebody")); err != nil {
			l.Errorf("making %s %s: %v", u.GetKind(), u.GetName(), err)
		}
	}
}

// changes gives a change by which somebody else changes an object: a JSON merge patch.
func changes(owner, document, patch string) func(*try) {
	return func(l *try) {
		u := l.object(document)
		text, err := yaml.YAMLToJSON([]byte(l.fill(patch)))
		if err != nil {
			l.Error(err)
		}
		if err := l.site.admin.Patch(l.Context(), u, client.RawPatch(types.MergePatchType, text), client.FieldOwner(owner)); err != nil {
			l.Errorf("changing %s %s: %v", u.GetKind(), u.GetName(), err)
		}
	}
}

// removes gives a change by which somebody else deletes objects, where they exist.
func removes(documents ...string) func(*try) {
	return func(l *try) {
		for _, d := range documents {
			u := l.object(d)
			if err := l.site.admin.Delete(l.Context(), u); client.IgnoreNotFound(err) != nil {
				l.Errorf("deleting %s %s: %v", u.GetKind(), u.GetName(), err)
			}
		}
	}
}

// writes gives a change that writes a file into the row's folder.
func writes(name, text string) func(*try) {
	return func(l *try) { write(l, l.dir+"/"+name, l.fill(text)) }
}

// oldLogin gives a change that writes a pull secret whose login the site's registry does not know any more.
func oldLogin(name string) func(*try) {
	return func(l *try) {
		registry, _ := l.site.values["registry"].(map[string]any)
		login := base64.StdEncoding.EncodeToString([]byte("somebody:who-left"))
		write(l, filepath.Join(l.dir, name), fmt.Sprintf(`{"auths":{"registry.traps.lab:%v":{"auth":%q}}}`, registry["port"], login))
	}
}

// all does several changes.
func all(changes ...func(*try)) func(*try) {
	return func(l *try) {
		for _, change := range changes {
			change(l)
		}
	}
}

// until waits until an object has a field.
func (l *try) until(document string, field ...string) {
	l.see(document, func(u *unstructured.Unstructured) bool {
		value, _, _ := unstructured.NestedString(u.Object, field...)
		return value != ""
	}, false)
}

// appears gives a wait until an object exists.
func appears(document string) func(*try) {
	return func(l *try) { l.see(document, func(*unstructured.Unstructured) bool { return true }, false) }
}

// established gives a wait until the server serves one of HyperShift's kinds.
func established(kinds string) func(*try) {
	return func(l *try) {
		l.see("{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: "+kinds+".hypershift.openshift.io}}",
			func(u *unstructured.Unstructured) bool { return obj.FindCondition(u, "Established").Status == obj.True }, false)
	}
}

// gone gives a wait until an object is deleted.
func gone(document string) func(*try) {
	return func(l *try) {
		l.see(document, func(*unstructured.Unstructured) bool { return false }, true)
	}
}

// see watches an object until what is asked for is so, or it is deleted.
func (l *try) see(document string, so func(*unstructured.Unstructured) bool, deleted bool) {
	u := l.object(document)
	ctx, cancel := context.WithTimeout(l.Context(), longest)
	defer cancel()
	for ctx.Err() == nil { // a busy server ends a watch
		seen, err := l.watch(ctx, u, so, deleted)
		if err != nil {
			l.Errorf("watching %s %s: %v", u.GetKind(), u.GetName(), err)
			return
		}
		if seen {
			return
		}
	}
	l.Errorf("%s %s never became what was waited for", u.GetKind(), u.GetName())
}

// watch watches an object until it has been seen, or the server ends the watch.
func (l *try) watch(ctx context.Context, u *unstructured.Unstructured, so func(*unstructured.Unstructured) bool, deleted bool) (bool, error) {
	list := &unstructured.UnstructuredList{}
	list.SetAPIVersion(u.GetAPIVersion())
	list.SetKind(u.GetKind() + "List")
	watching, err := l.site.admin.Watch(ctx, list, client.InNamespace(u.GetNamespace()))
	if err != nil {
		return false, err
	}
	defer watching.Stop()
	if deleted { // it may have gone before the watch began
		if err := l.site.admin.Get(ctx, client.ObjectKeyFromObject(u), u.DeepCopy()); err != nil {
			return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
		}
	}
	for e := range watching.ResultChan() {
		now, ok := e.Object.(*unstructured.Unstructured)
		if ok && now.GetName() == u.GetName() && (deleted && e.Type == watch.Deleted || !deleted && so(now)) {
			return true, nil
		}
	}
	return false, nil
}
