package redfish

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// override is a system's boot override; a part is empty where the BMC does not say.
type override struct{ enabled, target, mode string }

func overrideOf(system *resource) override {
	var o override
	o.enabled, _ = system.text("Boot", "BootSourceOverrideEnabled")
	o.target, _ = system.text("Boot", "BootSourceOverrideTarget")
	o.mode, _ = system.text("Boot", "BootSourceOverrideMode")
	return o
}

// set says whether somebody wants the next boot to be another one than the usual. sushy-tools has Continuous and Hdd at rest.
func (o override) set() bool {
	return o.enabled != "" && o.enabled != "Disabled" && o.target != "" && o.target != "None" && o.target != "Hdd"
}

func (o override) disc() bool { return o.target == "Cd" || o.target == "UsbCd" }

func (o override) String() string {
	return printable(orNothing(o.enabled) + ", target " + orNothing(o.target))
}

func orNothing(s string) string {
	if s == "" {
		return "not stated"
	}
	return s
}

// payload is a PATCH of the parts that are stated; the mode only where asked: BMCs that want it stated are few, and some
// refuse it.
func (o override) payload(mode bool) map[string]any {
	boot := map[string]any{}
	for name, value := range map[string]string{"BootSourceOverrideEnabled": o.enabled, "BootSourceOverrideTarget": o.target, "BootSourceOverrideMode": o.mode} {
		if value != "" && (mode || name != "BootSourceOverrideMode") {
			boot[name] = value
		}
	}
	return map[string]any{"Boot": boot}
}

// askBootOnce sets the override, reads it back, and restores what was there.
func askBootOnce(ctx context.Context, p *probe) finding {
	t := p.trial
	if len(t.tried) == 0 {
		return skip(nothingIn)
	}
	system, err := t.fresh(ctx, t.writer.system)
	if err != nil {
		return fail("", "%s", reasonOf(err))
	}
	before := overrideOf(system)
	switch {
	case before.set():
		return skip("not asked: a boot override has been set meanwhile: %s", before)
	case before.enabled == "" && before.target == "":
		return unknown("%s states no boot override, which could not be restored", system.path)
	}
	shown, pending := false, false // pending: what does not show now may come later
	defer func() { t.restore(ctx, before, pending && !shown) }()
	wanted := override{enabled: "Once", target: discTarget(system), mode: before.mode}
	err = t.patchBoot(ctx, wanted, false)
	if pending = err == nil || unanswered(err); err != nil {
		return fail(bootRemedy(err), "%s", reasonOf(err))
	}
	var now override
	shown = t.until(ctx, func(ctx context.Context) bool {
		if system, err = t.fresh(ctx, t.writer.system); err == nil {
			now = overrideOf(system)
		}
		return err == nil && now.target == wanted.target
	})
	switch {
	case err != nil:
		return fail("", "%s", reasonOf(err))
	case !shown:
		return fail("", "the BMC accepted %s and shows %s", wanted, now)
	case now.enabled == "Once":
		return pass("it shows %s; before it was %s", now, before)
	case now.enabled == "Continuous":
		return warn("none is needed where the host is driven by Metal3, which sets the override before each boot", "Once was asked for, and it shows %s; before it was %s", now, before)
	case now.enabled == "":
		return unknown("it shows the target %s, and not whether the override is on", now.target)
	}
	return fail("", "it shows %s, which has no effect", now)
}

func bootRemedy(err error) string {
	if statusOf(err) == http.StatusForbidden {
		return "give the BMC's user the right ConfigureComponents: role Operator or Administrator"
	}
	return ""
}

// patchBoot sets the override, with the mode where that is asked for or the BMC does not take it without.
func (t *trial) patchBoot(ctx context.Context, o override, withMode bool) error {
	tries := 3
	var err error
	for _, mode := range []bool{withMode, true} {
		err = t.persist(ctx, &tries, busyOrLost, func(ctx context.Context) error {
			system, err := t.fresh(ctx, t.writer.system) // for its ETag
			if err != nil {
				return err
			}
			return t.writer.patch(ctx, system, o.payload(mode))
		})
		if statusOf(err) != http.StatusBadRequest || o.mode == "" || mode {
			return err
		}
	}
	return err
}

// restore puts the override back as it was, also for a caller that has gone. Where that fails, the finding of boot-once is
// that. BMCs that turn an override off forget its target.
func (t *trial) restore(ctx context.Context, before override, force bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleaning)
	defer cancel()
	now, err := t.bring(ctx, force, []override{before, {enabled: before.enabled}, {target: before.target}}, func(now override) bool {
		return now == before || before.enabled == "Disabled" && now.enabled == "Disabled" && now.mode == before.mode
	})
	if err == nil {
		return
	}
	remedy := fmt.Sprintf("set it back on the BMC's own page: %s", before)
	f := fail(remedy, "the boot override was %s, and is %s now: %s", before, now, reasonOf(err))
	t.unrestored = &f
}

// unset turns an override off that a killed probe left. Where a BMC knows no target None, the disk is what it has at rest.
func (t *trial) unset(ctx context.Context, targets []string) error {
	off := []override{{enabled: "Disabled", target: "None"}, {enabled: "Disabled", target: "Hdd"}, {enabled: "Disabled"}}
	if contains(targets, "Hdd") && !contains(targets, "None") {
		off = off[1:]
	}
	_, err := t.bring(ctx, false, off, func(now override) bool { return !now.set() })
	return err
}

var errNotShown = errors.New("the BMC accepts the change and does not show it")

// bring sends one form after the other until the override is as wanted, and gives what it is then. It sends nothing where it
// is so already, unless forced.
func (t *trial) bring(ctx context.Context, force bool, forms []override, so func(override) bool) (last override, err error) {
	look := func(ctx context.Context) bool {
		system, readErr := t.fresh(ctx, t.writer.system)
		if readErr != nil {
			err = readErr
			return false
		}
		last = overrideOf(system)
		return so(last)
	}
	if look(ctx) && !force {
		return last, nil
	}
	for _, form := range forms {
		if form.enabled == "" && form.target == "" {
			continue
		}
		if err = t.patchBoot(ctx, form, form.mode != last.mode); err != nil {
			continue
		}
		err = errNotShown
		if t.until(ctx, look) {
			return last, nil
		}
	}
	return last, err
}
