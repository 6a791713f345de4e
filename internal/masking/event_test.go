package masking

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/labrun/labrun/pipeline/event"
)

// own are the texts of an event that the lab file or labrun itself says, by their
// paths. Any other comes from outside.
var own = regexp.MustCompile(`^(Type|Step|Key` +
	`|Run\.(Lab|File|Labrun|Command|From|Phases\[\]|Steps\[\]\.(ID|Phase))` +
	`|Plan\.Decision|Start\.(Phase|Uses|Digest|File|Options\{\}|Inputs\{\})|Effect\.(Verb|UID)|Result\.Status` +
	`|.*Report\.(Code|Lines\[\]\.Label)|Summary\.(Counts|Requests)\{\})$`)

// Every text of an event that came from outside is masked. A new field is masked in
// maskEvent, or said above to be labrun's own.
func TestEveryFieldIsMasked(t *testing.T) {
	const secret = "correcthorsebatterystaple"
	var s Secrets
	s.Add(secret)
	var e event.Event
	fill(reflect.ValueOf(&e).Elem(), secret)
	var all []string
	taken := &kept{}
	if err := s.Before(taken).Take(e); err != nil {
		t.Fatal(err)
	}
	strung("", reflect.ValueOf(taken.events[0]), func(path, text string) {
		all = append(all, path)
		if text == secret && !own.MatchString(path) {
			t.Errorf("%s is not masked", path)
		}
	})
	for _, want := range []string{"Report.Title", "Result.Outputs", "Summary.Report.Next", "Evidence.Page", "Effect.Object"} {
		if !slices.Contains(all, want) {
			t.Errorf("%s was not looked at, only %s", want, strings.Join(all, ", "))
		}
	}
}

// fill sets every text below v.
func fill(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Interface:
		v.Set(reflect.ValueOf(text))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), text)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), text)
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, text)
		fill(value, text)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), text)
			}
		}
	}
}

// strung gives every text below v with its path.
func strung(path string, v reflect.Value, found func(path, text string)) {
	switch v.Kind() {
	case reflect.String:
		found(path, v.String())
	case reflect.Interface, reflect.Pointer:
		if !v.IsNil() {
			strung(path, v.Elem(), found)
		}
	case reflect.Slice:
		for i := range v.Len() {
			strung(path+"[]", v.Index(i), found)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			strung(path+"{}", key, found)
			strung(path+"{}", v.MapIndex(key), found)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; v.Type().Field(i).IsExported() {
				strung(strings.TrimPrefix(path+"."+name, "."), v.Field(i), found)
			}
		}
	}
}
