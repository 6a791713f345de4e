package labschema

import (
	"bytes"
	"encoding/json"
)

// node is a schema: those keywords of JSON Schema that are needed, in the order
// in which they are written.
type node struct {
	Schema           string   `json:"$schema,omitempty"`
	Title            string   `json:"title,omitempty"`
	Description      string   `json:"description,omitempty"`
	Ref              string   `json:"$ref,omitempty"`
	Type             []string `json:"-"` // written as one name where it is one
	Written          any      `json:"type,omitempty"`
	Const            any      `json:"const,omitempty"`
	Enum             []string `json:"enum,omitempty"`
	EnumDescriptions []string `json:"enumDescriptions,omitempty"` // editors show them
	AnyOf            []*node  `json:"anyOf,omitempty"`
	Not              *node    `json:"not,omitempty"`
	Pattern          string   `json:"pattern,omitempty"`
	MinLength        int      `json:"minLength,omitempty"`
	Minimum          *int64   `json:"minimum,omitempty"`
	Maximum          *int64   `json:"maximum,omitempty"`
	Default          any      `json:"default,omitempty"`
	Examples         []string `json:"examples,omitempty"`
	Items            *node    `json:"items,omitempty"`
	UniqueItems      bool     `json:"uniqueItems,omitempty"`
	MinItems         int      `json:"minItems,omitempty"`
	Properties       members  `json:"properties,omitempty"`
	PropertyNames    *node    `json:"propertyNames,omitempty"`
	Additional       any      `json:"additionalProperties,omitempty"` // false, or a *node
	MinProperties    int      `json:"minProperties,omitempty"`
	MaxProperties    int      `json:"maxProperties,omitempty"`
	Required         []string `json:"required,omitempty"`
	If               *node    `json:"if,omitempty"`
	Then             *node    `json:"then,omitempty"`
	AllOf            []*node  `json:"allOf,omitempty"`
	Defs             members  `json:"$defs,omitempty"`
}

// members are named schemas, in the order of the Go types.
type members []member

type member struct {
	name string
	node *node
}

// MarshalJSON writes an object in the members' order.
func (m members) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, one := range m {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(one.name)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		value, err := one.node.MarshalJSON()
		if err != nil {
			return nil, err
		}
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// MarshalJSON writes the schema; < and > stay as they are.
func (n *node) MarshalJSON() ([]byte, error) {
	type plain node
	out := plain(*n)
	switch len(n.Type) {
	case 0:
	case 1:
		out.Written = n.Type[0]
	default:
		out.Written = n.Type
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(out); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

// orNull is a schema that also takes null.
func orNull(n *node) *node {
	with := *n
	switch {
	case len(n.Type) > 0:
		with.Type = append(append([]string(nil), n.Type...), "null")
	case n.AnyOf != nil:
		with.AnyOf = append(append([]*node(nil), n.AnyOf...), &node{Type: []string{"null"}})
	}
	return &with
}

func ptr(i int64) *int64 { return &i }
