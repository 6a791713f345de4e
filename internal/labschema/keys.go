package labschema

// fileKey is the shape of a key at the top of a file; nil for one whose Go type says it.
func (g *grammar) fileKey(name string) *node {
	switch name {
	case "name":
		return &node{Type: []string{"string"}, Pattern: dnsLabelForm}
	case "lab":
		b := &builder{}
		n := b.of(g.facts, "")
		g.errs = append(g.errs, b.errs...)
		return n
	case "vars":
		return &node{Type: []string{"object"}}
	case "env":
		name := &node{Type: []string{"string"}, Pattern: variableForm}
		return &node{
			Type: []string{"array", "object"}, Items: name, PropertyNames: name,
			Additional: &node{Type: []string{"string", "number", "boolean", "null"}},
		}
	case "include":
		file := &node{Type: []string{"string"}, MinLength: 1}
		for _, name := range g.includes {
			file.Examples = append(file.Examples, "builtin:"+name)
		}
		return &node{Type: []string{"array"}, Items: file}
	case "phases":
		return &node{Type: []string{"array"}, Items: id(), UniqueItems: true}
	case "override":
		return &node{Type: []string{"object"}, PropertyNames: id(), Additional: &node{Ref: "#/$defs/override"}}
	case "steps":
		return &node{Type: []string{"array"}, Items: &node{Ref: "#/$defs/step"}}
	}
	return nil
}

// stepKey is the shape of a key of a step; nil for one whose Go type says it.
func (g *grammar) stepKey(name string) *node {
	switch name {
	case "id", "phase", "after":
		return id()
	case "uses":
		n := &node{Type: []string{"string"}}
		for _, k := range g.kinds {
			n.Enum = append(n.Enum, k.Name)
			n.EnumDescriptions = append(n.EnumDescriptions, k.Doc)
		}
		return n
	case "with":
		return &node{Type: []string{"object"}}
	case "when":
		return &node{Type: []string{"string", "boolean"}}
	case "forEach", "key":
		return &node{Type: []string{"string"}}
	case "limit":
		return &node{Type: []string{"integer"}, Minimum: ptr(1)}
	case "needs":
		return &node{Type: []string{"array"}, Items: id()}
	case "disabled":
		return &node{Type: []string{"string", "number"}, MinLength: 1}
	case "timeout":
		return &node{Type: []string{"string"}, Pattern: durationForm}
	case "retry":
		return retry()
	case "finally":
		return &node{Type: []string{"boolean"}}
	case "onFailure":
		return &node{Type: []string{"boolean", "array"}, Items: id()}
	}
	return nil
}

func id() *node { return &node{Type: []string{"string"}, Pattern: idForm} }

func retry() *node {
	span := func(doc, fallback string) *node {
		return &node{Description: doc, Type: []string{"string"}, Pattern: durationForm, Default: fallback}
	}
	return &node{Type: []string{"object"}, Additional: false, Properties: members{
		{"attempts", &node{Description: "how often it is tried, the first time included", Type: []string{"integer"}, Minimum: ptr(1), Default: 3}},
		{"backoff", span("time before the second attempt; it doubles with each further one", "5s")},
		{"max", span("longest time between two attempts", "1m")},
		{"when", &node{Description: "an expression over error: only such failures are tried again", Type: []string{"string", "boolean"}}},
	}}
}
