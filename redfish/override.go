package redfish

import "slices"

// Override turns a check off or changes what its findings count as, for a reason that the report repeats.
type Override struct {
	Severity Status // Skip: turned off; Warn or Fail: what a finding of warn or fail counts as
	Reason   string
}

// KnownCheck says whether a check of this id is in one of the catalogues. An id in Options.Overrides that is not does nothing:
// whoever reads it from a person should ask here first.
func KnownCheck(id string) bool {
	return slices.ContainsFunc(slices.Concat(Catalogue(), ActiveCatalogue()), func(c Check) bool { return c.ID == id })
}

// off says whether a check is turned off.
func (o Options) off(id string) bool { return o.Overrides[id].Severity == Skip }

// judge is a finding as the overrides have it.
func (o Options) judge(id string, f finding) finding {
	override, ok := o.Overrides[id]
	switch {
	case !ok:
	case override.Severity == Skip:
		return skip("turned off: %s", override.Reason)
	case override.Severity != Warn && override.Severity != Fail:
	case f.status == Warn || f.status == Fail:
		f.status = override.Severity
		f.seen += " (counts as " + string(override.Severity) + ": " + override.Reason + ")"
	}
	return f
}

// needed says whether other checks build on what this one reads.
func needed(id string) bool {
	return slices.ContainsFunc(Catalogue(), func(c Check) bool { return slices.Contains(c.Needs, id) })
}
