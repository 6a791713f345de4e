package pipeline

import "fmt"

// expressions resolves by the pipeline's own compiled expressions.
type expressions[E any] struct{}

func (expressions[E]) WhyNot(p *Pipeline[E], d *Declared[E], in *Instance, values map[string]any) (string, error) {
	return p.WhyNot(d, in, values)
}

func (expressions[E]) Instances(_ *Pipeline[E], d *Declared[E], values map[string]any) ([]Instance, error) {
	return d.Expand(values)
}

func (expressions[E]) Options(_ *Pipeline[E], d *Declared[E], values map[string]any) (any, error) {
	return d.Options(values)
}

// OptionsNow gives the options of a step, or of its instance of a key, as far as
// the facts tell them. Options that read what other steps find out give an error.
func (p *Pipeline[E]) OptionsNow(d *Declared[E], key string) (any, error) {
	v := newValues(p.Values)
	if d.ForEach == nil {
		return d.Options(v.seen(nil))
	}
	for n := range d.Instances {
		if d.Instances[n].Key == key {
			return d.Options(v.seen(&d.Instances[n]))
		}
	}
	return nil, fmt.Errorf("the instances of %s are known during the run", d.ID)
}
