package gate

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"

	"github.com/expr-lang/expr/types"
)

type kind int

const (
	anyKind kind = iota
	boolKind
	intKind
	floatKind
	stringKind
	textKind // a scalar that can stand within a text
	listKind
	mapKind
)

// Type is the type of a fact, an output or a result. The zero Type is Any.
type Type struct {
	kind kind
	more *shape // of enumerated strings, lists and maps
}

// shape is what a type holds. It is never changed once its type is handed out.
type shape struct {
	enum     []string
	elem     *Type           // of a list, or of a map whose keys are unknown
	fields   map[string]Type // of a closed map
	optional map[string]bool // fields that may be left out where a map is wanted
	scalar   bool            // a string is taken, too, where this map is wanted

	once sync.Once
	key  string
}

// Any is a value of any type: nothing is checked before it is there.
func Any() Type { return Type{} }

// Bool is true or false.
func Bool() Type { return Type{kind: boolKind} }

// Int is a whole number.
func Int() Type { return Type{kind: intKind} }

// Float is a number.
func Float() Type { return Type{kind: floatKind} }

// String is a text.
func String() Type { return Type{kind: stringKind} }

// Text is what an expression within a text may give: a text, a number, true or
// false.
func Text() Type { return Type{kind: textKind} }

// EnumOf is a text that is one of values.
func EnumOf(values ...string) Type {
	return Type{kind: stringKind, more: &shape{enum: slices.Clone(values)}}
}

// ListOf is a list of elem.
func ListOf(elem Type) Type { return Type{kind: listKind, more: &shape{elem: &elem}} }

// MapOf is a map that has just these keys.
func MapOf(fields map[string]Type) Type { return Type{kind: mapKind, more: &shape{fields: fields}} }

// MapOfUnknownKeys is a map of elem whose keys are known at run time only.
func MapOfUnknownKeys(elem Type) Type { return Type{kind: mapKind, more: &shape{elem: &elem}} }

// Field gives the type of a member of a map.
func (t Type) Field(name string) (Type, bool) {
	if t.kind != mapKind {
		return Type{}, t.kind == anyKind
	}
	if t.more.elem != nil {
		return *t.more.elem, true
	}
	f, ok := t.more.fields[name]
	return f, ok
}

// Names gives the keys of a closed map, sorted.
func (t Type) Names() []string {
	if t.kind != mapKind {
		return nil
	}
	names := make([]string, 0, len(t.more.fields))
	for n := range t.more.fields {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// Elem gives the type of a list's items, and of what a map of unknown keys holds.
func (t Type) Elem() (Type, bool) {
	if t.more == nil || t.more.elem == nil {
		return Type{}, false
	}
	return *t.more.elem, true
}

// Enum gives the values of an enumerated text, nil for any other type.
func (t Type) Enum() []string {
	if t.more == nil {
		return nil
	}
	return t.more.enum
}

// IsList says whether it is a list.
func (t Type) IsList() bool { return t.kind == listKind }

// IsAny says whether nothing is known of it.
func (t Type) IsAny() bool { return t.kind == anyKind }

// String names the type for people, with its article.
func (t Type) String() string {
	switch t.kind {
	case boolKind:
		return "true or false"
	case intKind:
		return "a whole number"
	case floatKind:
		return "a number"
	case stringKind:
		return "a string"
	case textKind:
		return "a string or a number"
	case listKind:
		return "a list"
	case mapKind:
		return "a map"
	}
	return "anything"
}

// id is equal for types that are built alike, at any place.
func (t Type) id() string {
	if t.more == nil {
		return strconv.Itoa(int(t.kind))
	}
	t.more.once.Do(func() { t.more.key = t.digest() })
	return t.more.key
}

func (t Type) digest() string {
	h := sha256.New()
	fmt.Fprintf(h, "%d|%t|%s|", t.kind, t.more.scalar, strings.Join(t.more.enum, "|"))
	if t.more.elem != nil {
		fmt.Fprintf(h, "[%s]", t.more.elem.id())
	}
	for _, n := range t.Names() {
		fmt.Fprintf(h, "%s:%s:%t,", n, t.more.fields[n].id(), t.more.optional[n])
	}
	return hex.EncodeToString(h.Sum(nil)[:12])
}

// expr gives the type as the checker of expr knows it. It is made anew each time:
// the checker keeps notes in what it is handed.
func (t Type) expr() types.Type {
	switch t.kind {
	case boolKind:
		return types.Bool
	case intKind:
		return types.Int
	case floatKind:
		return types.Float64
	case stringKind, textKind:
		return types.String
	case listKind:
		return types.Array(t.more.elem.expr())
	case mapKind:
		m := make(types.Map, len(t.more.fields)+1)
		for n, f := range t.more.fields {
			m[n] = f.expr()
		}
		if t.more.elem != nil {
			m[types.Extra] = t.more.elem.expr()
		}
		return m
	}
	return types.Any
}
