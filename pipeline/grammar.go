package pipeline

import "reflect"

// Grammar gives the structs whose fields are the keys of a lab file and of a step,
// with their tags. A key whose field is a *source.Node has a shape that the loader
// checks itself.
func Grammar() (file, step reflect.Type) {
	return reflect.TypeFor[document](), reflect.TypeFor[stepDocument]()
}
