package labs

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/labrun/labrun/internal/masking/weak"
)

// PresentSecrets are the values of the secrets that this machine holds: those of
// files and variables that are there.
func (f *Facts) PresentSecrets() []Secret {
	var all []Secret
	for _, s := range f.secrets() {
		if value, _, _ := present(s.Ref); value != "" {
			all = append(all, NewSecret(value))
		}
	}
	return all
}

// weak warns of a secret that cannot be masked where it stands in a message.
func (c *checker) weak(known []weak.Known, s NamedSecret, value string) {
	const hint = "choose one of 8 characters or more that is no word and no name"
	if why := weak.Why(value, known); why != "" {
		c.warn(s.Path, hint, "the secret in %s cannot be masked where a server or a program repeats it: %s", s.Ref, why)
		return
	}
	for _, password := range weak.Passwords(value) {
		if why := weak.Why(password, known); why != "" {
			c.warn(s.Path, hint, "a password in %s cannot be masked where a server or a program repeats it: %s", s.Ref, why)
			return
		}
	}
}

// Known are the facts that stay readable, whatever the secrets are: all texts but
// certificates, keys and paths.
func (f *Facts) Known() []weak.Known {
	known := []weak.Known{{Path: "the lab's name", Text: f.Name}}
	texts("lab", reflect.ValueOf(f).Elem(), func(path, text string) { known = append(known, weak.Known{Path: path, Text: text}) })
	return known
}

func texts(path string, v reflect.Value, found func(path, text string)) {
	switch v.Interface().(type) {
	case SecretRef, PEM, PublicKey, Path, CIDR, Duration:
		return
	}
	switch v.Kind() {
	case reflect.String:
		if v.String() != "" {
			found(path, v.String())
		}
	case reflect.Slice:
		for i := range v.Len() {
			texts(fmt.Sprintf("%s[%d]", path, i), v.Index(i), found)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
			if name != "-" {
				texts(path+"."+name, v.Field(i), found)
			}
		}
	}
}
