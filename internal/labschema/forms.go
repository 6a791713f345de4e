package labschema

import (
	"reflect"
	"time"

	"github.com/labrun/labrun/labs"
)

// What texts look like. Patterns are those of both Go and ECMAScript.
const (
	idForm       = `^[a-z]([a-z0-9_]{0,61}[a-z0-9])?$`
	dnsLabelForm = `^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`
	variableForm = `^[A-Za-z_][A-Za-z0-9_]*$`
	requiredForm = `^(all|[1-9][0-9]*)$`
	durationForm = `^\+?(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+$`
	cidrForm     = `^[0-9A-Fa-f:.]*[:.][0-9A-Fa-f:.]*/[0-9]{1,3}$`
	macForm      = `^([0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{2}(-[0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{4}(\.[0-9A-Fa-f]{4}){2})$`

	// expressionForm is an expression that is the whole value, holeForm one anywhere.
	expressionForm = `^\s*\$\{\{[\s\S]*\}\}\s*$`
	holeForm       = `(^|[^$])\$\{\{`
)

// form is how a Go type that reads its own text is written.
type form struct {
	of      reflect.Type
	pattern string // "" for any text
	number  bool   // it may be a number from 1
}

func forms() []form {
	return []form{
		{reflect.TypeFor[labs.CIDR](), cidrForm, false},
		{reflect.TypeFor[labs.MAC](), macForm, false},
		{reflect.TypeFor[labs.Duration](), durationForm, false},
		{reflect.TypeFor[time.Duration](), durationForm, false},
		{reflect.TypeFor[labs.Required](), requiredForm, true},
	}
}

func formOf(t reflect.Type) (form, bool) {
	for _, f := range forms() {
		if f.of == t {
			return f, true
		}
	}
	return form{}, false
}
