package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/pipeline/source"
)

// readBy keeps what earlier runs left of a step that is left out, or of the instances
// that a selection does not pick, for another step that reads it. It refuses what is
// not there to be read. reason is why the step is left out, "" where it is not.
func (d *Declared[E]) readBy(id string, at source.Position, reason string, s Selection) error {
	part, why := "", ""
	switch {
	case reason != "":
		ok := false
		if ok, why = d.recall(s.Recall); ok {
			return nil
		}
	case d.OnlyKeys == nil || d.recallUnpicked(s.RecallInstances):
		return nil
	default:
		part, reason, why = "in part ", event.LeftOutBy+"--only "+strings.Join(s.Only, ","), heldSecret
	}
	if why != "" {
		why = ": " + why
	}
	return &SelectionError{fmt.Sprintf("%s reads outputs of %s (%s), which is %s%s%s", id, d.ID, at, part, reason, why),
		"let " + d.ID + " take part, " + takesPart(d.ID, reason) + ": a step that is done already changes nothing"}
}

// takesPart is what to type so that a step takes part, whole, that is left out for
// reason.
func takesPart(id, reason string) string {
	flag, names, _ := strings.Cut(strings.TrimPrefix(reason, event.LeftOutBy), " ")
	if flag != "--only" {
		return flag + " " + id
	}
	others := slices.DeleteFunc(strings.Split(names, ","), func(name string) bool {
		step, _ := instanceOf(name)
		return step == id
	})
	return flag + " " + strings.Join(append([]string{id}, others...), ",")
}

// recall looks whether an earlier run left the outputs of a step, and keeps them.
// why says of outputs that it left why they cannot be read.
func (d *Declared[E]) recall(recall func(string) (Recalled, bool)) (ok bool, why string) {
	if recall == nil || d.Recalled != nil {
		return d.Recalled != nil, ""
	}
	found, ok := recall(d.ID)
	switch {
	case !ok:
		return false, ""
	case found.holdsMask():
		return false, heldSecret
	}
	found = restored(d, found)
	d.Recalled = &found
	return true, ""
}

// recallUnpicked keeps what earlier runs left of the instances that a selection does
// not pick; those of which they left nothing are as if they were skipped. It says
// whether all of it can be read.
func (d *Declared[E]) recallUnpicked(recall func(string) []RecalledInstance) bool {
	if recall == nil || d.Recalled != nil {
		return true
	}
	found := Recalled{Instances: slices.DeleteFunc(slices.Clone(recall(d.ID)), func(i RecalledInstance) bool { return d.picks(i.Key) })}
	if found.holdsMask() {
		return false
	}
	found = restored(d, found)
	d.Recalled = &found
	return true
}

// unpicked gives by key what earlier runs left of the instances that a selection does
// not pick.
func (d *Declared[E]) unpicked() map[string]any {
	if d.Recalled == nil || d.OnlyKeys == nil {
		return nil
	}
	left := make(map[string]any, len(d.Recalled.Instances))
	for _, i := range d.Recalled.Instances {
		left[i.Key] = i.Outputs
	}
	return left
}
