package pipeline

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/labrun/labrun/pipeline/event"
)

// Rememberer is a step whose effect no later run can see, and need not have
// again: it is left out where the last run of it ended well and neither its
// options nor its inputs have changed since.
type Rememberer[E any] interface {
	// Remember gives the digest of each thing beside the options that the effect
	// follows from, by a name that a person knows it under. once is false for a
	// step that has its effect in every run.
	Remember(ctx context.Context, env E) (inputs map[string]string, once bool, err error)
}

// Memory tells what earlier runs left of an instance.
type Memory func(step, key string) Remembered

// Remembered is what the journals of earlier runs tell of one instance. The zero
// value is one of which they tell nothing that still counts.
type Remembered struct {
	Run             int // whose effect stands; 0: none is known to
	Uses, Digest    string
	Options, Inputs map[string]string // digests by name
	Outputs         any               // as the journal has them

	Lone    *event.Effect // begun, and nobody told its end; nil: none
	LoneRun int           // in which it began
}

// Recollect tells what the runs of a lab left of an instance. runs are folded
// journals, the newest first.
func Recollect(runs []*event.State, step, key string) Remembered {
	for _, run := range runs {
		i := run.Instance(step, key)
		if i == nil || i.Start == nil {
			continue
		}
		lone := loneOf(i)
		switch {
		case lone != nil:
			return Remembered{Lone: lone, LoneRun: run.Run.Number}
		case i.Result != nil && (i.Result.Status == event.OK || i.Result.Status == event.Changed):
			r := Remembered{Run: run.Run.Number, Uses: i.Start.Uses, Digest: i.Start.Digest,
				Options: i.Start.Options, Inputs: i.Start.Inputs, Outputs: i.Result.Outputs}
			if i.Result.As > 0 {
				r.Run = i.Result.As
			}
			return r
		case i.Unseen > 0: // it had an effect, and did not end well
			return Remembered{}
		}
	}
	return Remembered{}
}

// loneOf is the last effect of an instance that no run can see and whose end
// nobody told, nil for none.
func loneOf(i *event.Instance) *event.Effect {
	for _, e := range slices.Backward(i.Open) {
		if !e.Observable {
			return &e
		}
	}
	return nil
}

// remember tells what a step that asks for it begins with, and whether it is as
// an earlier run left it.
func remember[E any](ctx context.Context, d *Declared[E], env E, options any, salt []byte, before Remembered) (now event.Start, same bool, err error) {
	now.Uses, now.Digest = d.Kind.Name, digest(salt, d.Kind.Name, options)
	if d.Kind.Remember == nil {
		return now, false, nil
	}
	inputs, once, err := d.Kind.Remember(ctx, env, options)
	if err != nil || !once {
		return now, false, err
	}
	now.Options, now.Inputs = optionDigests(salt, options), map[string]string{}
	for name, sum := range inputs {
		now.Inputs[name] = keyed(salt, []byte(sum))
	}
	if before.Run == 0 {
		return now, false, nil
	}
	now.Because = changesSince(before, now)
	if now.Because == nil && holdsMask(before.Outputs) {
		now.Because = []string{heldSecret}
	}
	return now, now.Because == nil, nil
}

// changesSince says what is otherwise now than in the run that is remembered, a
// line a change; nil where nothing is. The digest of all options is not looked at: it
// is another one for a labrun that knows an option more.
func changesSince(before Remembered, now event.Start) []string {
	if before.Uses != now.Uses {
		return []string{"it is another kind of step"}
	}
	return append(differences("option", before.Options, now.Options), differences("input", before.Inputs, now.Inputs)...)
}

func differences(what string, before, now map[string]string) []string {
	all := maps.Clone(before)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, now)
	var told []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		was, is := before[name], now[name]
		switch {
		case was == is:
		case was == "":
			told = append(told, fmt.Sprintf("%s %s is new (%s)", what, name, short(is)))
		case is == "":
			told = append(told, fmt.Sprintf("%s %s is gone", what, name))
		default:
			told = append(told, fmt.Sprintf("%s %s changed (%s → %s)", what, name, short(was), short(is)))
		}
	}
	return told
}

// heldSecret is why outputs of an earlier run are not read.
const heldSecret = "its outputs held a secret, which no journal keeps"

// holdsMask says whether a secret was masked in outputs: they are not what the
// step gave.
func holdsMask(v any) bool {
	switch v := v.(type) {
	case string:
		return strings.Contains(v, event.Mask)
	case map[string]any:
		for _, value := range v {
			if holdsMask(value) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, holdsMask)
	}
	return false
}

// short is as much of a digest as a person compares.
func short(digest string) string { return digest[:min(8, len(digest))] }

// digest is that of a step's kind and resolved options: the same for the same step
// in a later run of the lab, another where something was changed. It is keyed by
// the lab's salt, since an option may hold a word that could be guessed. It is
// empty where options cannot be written as JSON.
func digest(salt []byte, kind string, options any) string {
	b, err := json.Marshal(options) // sorts the keys of maps
	if err != nil {
		return ""
	}
	return keyed(salt, append([]byte(kind+"\x00"), b...))
}

// optionDigests are the digests of the options, each by its name, of those that
// are not empty.
func optionDigests(salt []byte, options any) map[string]string {
	v := reflect.ValueOf(options)
	found := map[string]string{}
	for n := range v.NumField() {
		f := v.Type().Field(n)
		if !f.IsExported() || v.Field(n).IsZero() {
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if name == "" {
			name = strings.ToLower(f.Name)
		}
		if b, err := json.Marshal(v.Field(n).Interface()); err == nil {
			found[name] = keyed(salt, append([]byte(name+"\x00"), b...))
		}
	}
	return found
}

func keyed(salt, text []byte) string {
	h := hmac.New(sha256.New, salt)
	h.Write(text)
	return hex.EncodeToString(h.Sum(nil))
}
