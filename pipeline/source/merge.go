package source

import (
	"fmt"
	"strconv"
	"strings"
)

// Merge puts over on top of base: mappings merge key by key, lists of named
// things (each item a mapping with a name) merge by name, other lists and
// scalars are replaced, and null removes. What ParseSet made names the items of
// a list by name or number. Each value keeps the place of whoever set it. Either
// may be nil.
func Merge(base, over *Node) (*Node, Diagnostics) {
	var m merger
	return m.merge(base, over), m.found
}

type merger struct{ found Diagnostics }

func (m *merger) merge(base, over *Node) *Node {
	switch {
	case over == nil:
		return base
	case base == nil || base.Kind == Null || over.Kind == Scalar:
		return over
	case over.Kind == Mapping && base.Kind == Mapping:
		return m.mappings(base, over)
	case over.Kind == Mapping && base.Kind == Sequence && over.set:
		return m.items(base, over)
	case over.Kind == Sequence && base.Kind == Sequence && named(base) && named(over):
		return m.namedLists(base, over)
	}
	return over
}

func (m *merger) mappings(base, over *Node) *Node {
	out := *base
	out.set = base.set && over.set
	out.Entries = make([]Entry, 0, len(base.Entries)+len(over.Entries))
	index := make(map[string]*Entry, len(over.Entries))
	for i := range over.Entries {
		index[over.Entries[i].Key.Text] = &over.Entries[i]
	}
	for _, e := range base.Entries {
		o := index[e.Key.Text]
		switch {
		case o == nil:
			out.Entries = append(out.Entries, e)
		case o.Value.Kind == Null: // removed
		default:
			key := e.Key
			if o.Value.Kind != Mapping && o.Value.Kind != Sequence {
				key = o.Key
			}
			out.Entries = append(out.Entries, Entry{key, m.merge(e.Value, o.Value)})
		}
		delete(index, e.Key.Text)
	}
	for _, e := range over.Entries {
		if index[e.Key.Text] != nil && e.Value.Kind != Null {
			out.Entries = append(out.Entries, e)
		}
	}
	return &out
}

func (m *merger) namedLists(base, over *Node) *Node {
	out := *base
	out.Items = append([]*Node(nil), base.Items...)
	places := make(map[string]int, len(out.Items))
	for i, item := range out.Items {
		places[item.Get("name").Text] = i
	}
	for _, item := range over.Items {
		name := item.Get("name").Text
		if i, ok := places[name]; ok {
			out.Items[i] = m.merge(out.Items[i], item)
			continue
		}
		places[name] = len(out.Items)
		out.Items = append(out.Items, item)
	}
	return &out
}

// items puts a mapping of --set on a list: each key is an item's name or number.
func (m *merger) items(base, over *Node) *Node {
	out := *base
	out.Items = append([]*Node(nil), base.Items...)
	removed := map[int]bool{}
	for _, e := range over.Entries {
		i := itemIndex(&out, e.Key.Text)
		if i < 0 {
			m.found = append(m.found, e.Key.Find(fmt.Sprintf("the list has no item %q", e.Key.Text), itemHint(base, e.Key.Text)))
			continue
		}
		if e.Value.Kind == Null {
			removed[i] = true
			continue
		}
		out.Items[i] = m.merge(out.Items[i], e.Value)
	}
	if len(removed) > 0 {
		kept := out.Items[:0:0]
		for i, item := range out.Items {
			if !removed[i] {
				kept = append(kept, item)
			}
		}
		out.Items = kept
	}
	return &out
}

// itemIndex finds an item by its name, else by its number from 0; -1 for none.
func itemIndex(list *Node, key string) int {
	for i, item := range list.Items {
		if name := item.Get("name"); name != nil && name.Text == key {
			return i
		}
	}
	if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(list.Items) {
		return i
	}
	return -1
}

func itemHint(list *Node, key string) string {
	var names []string
	for _, item := range list.Items {
		if name := item.Get("name"); name != nil {
			names = append(names, name.Text)
		}
	}
	if hint := DidYouMean(key, names); hint != "" || len(list.Items) == 0 {
		return hint
	}
	return fmt.Sprintf("items are named by their name or by a number from 0 to %d", len(list.Items)-1)
}

// named says whether every item of a list is a mapping with a name.
func named(list *Node) bool {
	for _, item := range list.Items {
		if name := item.Get("name"); name == nil || name.Kind != Scalar {
			return false
		}
	}
	return len(list.Items) > 0
}

// Lookup finds the value at a path, workers[1].bmc.address or
// workers.worker0.bmc; where it is absent, the nearest one above it that is
// there, and false.
func (n *Node) Lookup(path string) (*Node, bool) {
	node := n
	for _, part := range strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		var next *Node
		switch {
		case node == nil:
			return nil, false
		case node.Kind == Mapping:
			next = node.Get(part)
		case node.Kind == Sequence:
			if i := itemIndex(node, part); i >= 0 {
				next = node.Items[i]
			}
		}
		if next == nil {
			return node, false
		}
		node = next
	}
	return node, node != nil
}

// Key finds the key of the value at a path; where that is an item of a list, or
// absent, it is what Lookup gives.
func (n *Node) Key(path string) *Node {
	above, name := path[:max(0, strings.LastIndexByte(path, '.'))], path[strings.LastIndexByte(path, '.')+1:]
	parent, _ := n.Lookup(above)
	if e := parent.Entry(name); e != nil {
		return e.Key
	}
	at, _ := n.Lookup(path)
	return at
}
