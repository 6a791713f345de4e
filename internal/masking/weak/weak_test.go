package weak

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/labrun/labrun/pipeline/event"
)

func TestWhy(t *testing.T) {
	known := []Known{{"lab.domain", "hypershiftbm.lab"}, {"lab.workers[0].name", "worker-0"}}
	for value, want := range map[string]string{
		"":                    "",
		"qzxwvk":              "",
		"12345":               "it has fewer than 6 characters",
		" abcde\n":            "it has fewer than 6 characters",
		"123456":              "it is a number of fewer than 12 digits",
		"123456789012":        "",
		"aaaaaaaa":            "it is one character or two, repeated",
		"abababababababab":    "",
		"password":            "it is a word that messages use",
		"Password1":           "it is a word that messages use",
		"calvin!":             "it is a word that messages use",
		"password-123":        "",
		"passwordless":        "",
		"HyperShiftBM.lab":    "it is the same as lab.domain",
		"shiftbm":             "it is a part of lab.domain",
		"hypershiftbm.lab-77": "",
		"worker\nfailed":      "",
	} {
		if got := Why(value, known); got != want {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
	}
}

// A secret that is the name of a field would break each line of the event stream.
func TestNamesOfFieldsAreWords(t *testing.T) {
	for name := range fields(reflect.TypeFor[event.Event]()) {
		if Why(name, nil) == "" {
			t.Errorf("%s is no word of the list", name)
		}
	}
}

func fields(t reflect.Type) map[string]bool {
	all := map[string]bool{}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		return fields(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); name != "" {
				all[name] = true
				for inner := range fields(t.Field(i).Type) {
					all[inner] = true
				}
			}
		}
	}
	return all
}

func TestWordsAreInOrder(t *testing.T) {
	list := strings.Fields(words)
	if !slices.IsSorted(list) {
		t.Error("words.txt is not in order")
	}
	if d := cmp.Diff(list, slices.Compact(slices.Clone(list))); d != "" {
		t.Error(d)
	}
}

func TestParts(t *testing.T) {
	for value, want := range map[string][]string{
		"short":                                     {},
		"user:swordfish\n":                          {"user:swordfish\n", "user:swordfish", "swordfish"},
		"https://example.org/x":                     {"https://example.org/x", "https://example.org/x"},
		"first line\r\nab\nthe second":              {"first line\r\nab\nthe second", "first line\r\nab\nthe second", "first line", "the second"},
		"-----BEGIN KEY-----\nMIIEvQIB":             {"-----BEGIN KEY-----\nMIIEvQIB", "-----BEGIN KEY-----\nMIIEvQIB", "MIIEvQIB"},
		`{"a":{"password":"sixone","b":"seven77"}}`: {`{"a":{"password":"sixone","b":"seven77"}}`, `{"a":{"password":"sixone","b":"seven77"}}`, "sixone"},
		`{"auth":"dTpz"}`:                           {`{"auth":"dTpz"}`, `{"auth":"dTpz"}`, "s"},
		`{"auth":"MDAwMC0wMDAwOg=="}`:               {`{"auth":"MDAwMC0wMDAwOg=="}`, `{"auth":"MDAwMC0wMDAwOg=="}`, "MDAwMC0wMDAwOg=="}, // 0000-0000:
		"lab-user: \n":                              {"lab-user: \n", "lab-user:"},
		" \t     \n":                                {},
	} {
		got := Parts(value)
		if len(got) == 0 {
			got = []string{}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%q (-want +got):\n%s", value, d)
		}
	}
	if got := Passwords(`{"auth":"dTpz"}`); !slices.Equal(got, []string{"s"}) {
		t.Errorf("passwords %q", got)
	}
	for _, none := range []string{"user:", "user: ", `{"auth":"dXNlcjo="}`, `{"auth":"dXNlcjog"}`, `{"auth":"dXNlcjoK"}`} {
		if got := Passwords(none); len(got) > 0 {
			t.Errorf("passwords of %q: %q", none, got)
		}
	}
}
