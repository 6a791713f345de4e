package main

import (
	"reflect"
	"time"

	"github.com/labrun/labrun/labs"
)

// value is a type whose values are written as one text, or in a form of their own.
type value struct {
	of      reflect.Type
	name    string
	how     string   // for a reader
	samples []string // texts that the type reads; those of how
}

func values() []value {
	return []value{
		{reflect.TypeFor[labs.CIDR](), "CIDR", "an address and a prefix length, `fd03::/48` or `10.132.0.0/14`", []string{"fd03::/48", "10.132.0.0/14"}},
		{reflect.TypeFor[labs.MAC](), "MAC address", "six bytes, `52:54:00:6e:00:10`", []string{"52:54:00:6e:00:10"}},
		{reflect.TypeFor[labs.Duration](), "duration", "numbers with units, `90s`, `10m` or `1h30m`", []string{"90s", "10m", "1h30m"}},
		{reflect.TypeFor[time.Duration](), "duration", "", nil},
		{reflect.TypeFor[labs.Required](), "all or a number", "`all`, or a number from `1`", []string{"all", "1"}},
		{reflect.TypeFor[labs.Path](), "path", "relative to the file that names it; `~/` is the home folder", nil},
		{reflect.TypeFor[labs.PEM](), "PEM", "the certificates' text, or `{file: PATH}`", nil},
		{reflect.TypeFor[labs.PublicKey](), "public key", "the key's line, `ssh-ed25519 AAAA…`, or `{file: PATH}`", nil},
		{reflect.TypeFor[labs.SecretRef](), "secret, by reference", "where it is found, never the secret itself: see below", nil},
	}
}

// valueOf finds a type among them.
func valueOf(t reflect.Type) (value, bool) {
	for _, v := range values() {
		if v.of == t {
			return v, true
		}
	}
	return value{}, false
}
