package kube

import (
	"context"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps/trouble"
)

// claim is whose an object is that a step would bring about.
type claim int

const (
	absent    claim = iota // nobody's: it is not there
	own                    // this step's
	unentered              // this step's, but the inventory lacks its UID
	partner                // this lab's, made by another step
	foreign                // somebody else's
)

// claim says whose an object is, and refuses one that is somebody else's.
func (r *run) claim(ctx context.Context, t *task, before *unstructured.Unstructured, book *book) (claim, error) {
	if t.Partial && before == nil {
		return absent, refusal("", t.ref.String()+" does not exist: this step changes only some of its fields", "run the step that makes it first")
	}
	if before == nil {
		return absent, nil
	}
	if t.Shared || t.Partial {
		return own, nil
	}
	c, err := r.whose(ctx, t, before)
	if err != nil || c != foreign {
		return c, err
	}
	if r.adopt {
		t.found = true
		return unentered, book.enter(ctx, []*task{t})
	}
	return foreign, foreignReport(t.ref, before)
}

// whose tells by its labels and the inventory whose an existing object is. The
// same name with another UID is somebody else's, whatever its labels say.
func (r *run) whose(ctx context.Context, t *task, u *unstructured.Unstructured) (claim, error) {
	inventory, err := r.inventory(ctx, false)
	if err != nil {
		return foreign, err
	}
	entry, entered, err := r.entered(ctx, t, inventory)
	if err != nil {
		return foreign, err
	}
	labels := u.GetLabels()
	ours := labels[LabelLab] == r.scope.Lab
	switch {
	case !entered:
		return foreign, nil
	case entry.UID == "" && !ours, entry.UID != "" && entry.UID != string(u.GetUID()):
		return foreign, nil
	case ours && (labels[LabelStep] != r.scope.Step || labels[LabelKey] != r.scope.Key):
		return partner, nil
	case entry.UID == "":
		t.found = entry.Found
		return unentered, nil
	}
	return own, nil
}

// confirm enters the UID of an object that an interrupted run made, where
// nothing else looks into the inventory for it: what belongs to the hub, and
// what is merged.
func (r *run) confirm(ctx context.Context, t *task, book *book) error {
	u := r.view.get(t.ref)
	if u == nil {
		return nil
	}
	inventory, err := r.inventory(ctx, t.Shared)
	if err != nil {
		return err
	}
	entry, entered, err := r.entered(ctx, t, inventory)
	if err != nil {
		return err
	}
	_, uses := u.GetAnnotations()[UsedBy+r.scope.Lab]
	if entered && entry.UID == "" && (uses || u.GetLabels()[LabelLab] == r.scope.Lab) {
		book.made(t, true, u)
	}
	return nil
}

// entered gives an object's entry in an inventory, and whether there is one.
func (r *run) entered(ctx context.Context, t *task, i *inventory) (e Entry, there bool, err error) {
	err = r.insist(ctx, "reading the inventory for", t.ref.String(), func(ctx context.Context) error {
		e, there, err = i.get(ctx, entryKey(r.hosted, t.ref))
		return err
	})
	return e, there, explain(i.cluster, "reading the inventory for", t.ref.String(), r.manager, err)
}

func foreignReport(ref Ref, u *unstructured.Unstructured) error {
	title := ref.String() + " exists and is not this lab's"
	next := "take it over with --adopt, or delete it: oc delete " + GetArguments(ref)
	if lab := u.GetLabels()[LabelLab]; lab != "" {
		title = ref.String() + " exists and is lab " + lab + "'s by its labels, but this lab's inventory does not hold it"
	}
	return refusal(trouble.ObjectOfOthers, title, next, event.Line{Label: "owner", Text: ownersOf(u)},
		event.Line{Label: "made", Text: u.GetCreationTimestamp().UTC().Format("2006-01-02 15:04:05Z")})
}

// marked says whether an object tells of labrun. What labrun makes does from its first
// request; an entry without UID may be of one that somebody else made in its place.
func (r *run) marked(t *task, u *unstructured.Unstructured) bool {
	if t.Shared {
		return IsUsed(u)
	}
	return u.GetLabels()[LabelLab] == r.scope.Lab
}

// IsUsed says whether an object of the hub has a lab's mark.
func IsUsed(u *unstructured.Unstructured) bool {
	for annotation := range u.GetAnnotations() {
		if strings.HasPrefix(annotation, UsedBy) {
			return true
		}
	}
	return false
}

// ownersOf names those who wrote an object.
func ownersOf(u *unstructured.Unstructured) string {
	var names []string
	for _, f := range u.GetManagedFields() {
		if f.Subresource == "" && !slices.Contains(names, f.Manager) {
			names = append(names, f.Manager)
		}
	}
	if len(names) == 0 {
		return "unknown"
	}
	return strings.Join(names, ", ")
}
