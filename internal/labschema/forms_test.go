package labschema

import (
	"encoding"
	"errors"
	"reflect"
	"regexp"
	"testing"
	"time"

	"github.com/labrun/labrun/labs"
)

// TestForms holds each pattern to what the Go type reads.
func TestForms(t *testing.T) {
	samples := map[reflect.Type][]string{
		reflect.TypeFor[labs.CIDR](): {"fd03::/48", "10.132.0.0/14", "::/0", "fd03::", "10.0.0.1", "/48", "x/4", "10/8", ""},
		reflect.TypeFor[labs.MAC](): {"52:54:00:6e:00:10", "52-54-00-6E-00-10", "5254.006e.0010", "52:54:00:6e:00", "525400:6e0010",
			"52:54-00:6e:00:10", "02:00:5e:10:00:00:00:01", "g2:54:00:6e:00:10", ""},
		reflect.TypeFor[labs.Required](): {"all", "1", "17", "0", "01", "+1", "-1", "1.5", "1e3", "ALL", "most", ""},
		reflect.TypeFor[labs.Duration](): {"90s", "10m", "1h30m", "1.5h", ".5s", "+2m", "100ms", "1us", "1µs", "-10m", "10", "10 m", "m", "1d", ""},
	}
	for of, texts := range samples {
		f, ok := formOf(of)
		if !ok {
			t.Fatalf("%s has no form", of)
		}
		pattern := regexp.MustCompile(f.pattern)
		for _, text := range texts {
			err := reflect.New(of).Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text))
			if fits := pattern.MatchString(text); fits != (err == nil) {
				t.Errorf("%s %q: the pattern says %v, the type %v", of, text, fits, err)
			}
		}
	}
}

// TestUnknown refuses a type of which it is not said how it is written.
func TestUnknown(t *testing.T) {
	type facts struct {
		Since time.Time `yaml:"since" doc:"a time"`
	}
	if _, err := Lab(reflect.TypeFor[facts](), nil, nil); !errors.Is(err, ErrNoForm) {
		t.Errorf("found %v", err)
	}
}

// TestTypes holds what becomes of a Go type, as a fact and as an option.
func TestTypes(t *testing.T) {
	type group struct {
		Mode string `yaml:"mode" enum:"a|b" default:"a" doc:"mode"`
		On   bool   `yaml:"on" default:"false" doc:"switch"`
		Port uint16 `yaml:"port,omitempty" doc:"port"`
	}
	const fact = `{"type":"object","properties":{` +
		`"mode":{"description":"mode","type":"string","enum":["a","b"],"default":"a"},` +
		`"on":{"description":"switch","type":"boolean","default":false},` +
		`"port":{"description":"port","type":"integer","minimum":0,"maximum":65535}},"additionalProperties":false}`
	b := &builder{}
	got, err := b.of(reflect.TypeFor[group](), "").MarshalJSON()
	if err != nil || string(got) != fact {
		t.Errorf("%v %s\nwant %s", err, got, fact)
	}
	b = &builder{expressions: true}
	on := b.of(reflect.TypeFor[bool](), "")
	if len(on.Type) != 2 || on.Type[1] != "string" || on.Pattern != expressionForm {
		t.Errorf("an option that is true or false is %+v", on)
	}
}
