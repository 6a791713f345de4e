package kube

import (
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"testing"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
)

// interloper does something just before each of the first requests that match.
type interloper struct {
	next    http.RoundTripper
	matches func(*http.Request) bool
	times   int
	act     func()
	refusal string // answered in the server's place: a Status, as JSON
}

// between connects as an administrator, the interloper in front.
func (i *interloper) between(t *testing.T) *rest.Config {
	config := hub.Get(t).Config()
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		i.next = next
		return i
	})
	return config
}

// RoundTrip sends the request after what comes between, or refuses it after that.
func (i *interloper) RoundTrip(r *http.Request) (*http.Response, error) {
	if i.times > 0 && i.matches(r) {
		i.times--
		i.act()
		if i.refusal != "" {
			return &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{"Content-Type": {"application/json"}},
				Body: io.NopCloser(strings.NewReader(i.refusal)), Request: r}, nil
		}
	}
	return i.next.RoundTrip(r)
}

// An operator that writes a new object before labrun has settled its fields does
// not leave them to the next run.
func TestSettlesWhatIsWrittenMeanwhile(t *testing.T) {
	other := newLab(t, "operator")
	ns := hub.Namespace(t, "settle")
	pool := aNodePool(ns, "quay.io/a:1")
	ref := RefTo(pool)
	written := 0
	settles := func(r *http.Request) bool { return r.Header.Get("Content-Type") == string(types.JSONPatchType) }
	operator := &interloper{matches: settles, times: 3, act: func() {
		u := other.get(ref)
		written++
		u.SetAnnotations(map[string]string{"written": string(rune('0' + written))})
		client, err := other.cluster.resource(t.Context(), ref)
		if err == nil {
			_, err = client.Update(t.Context(), u, meta.UpdateOptions{FieldManager: "operator"})
		}
		if err != nil {
			t.Error(err)
		}
	}}
	l := labAs(t, "settle", operator.between(t))
	s := stub{intents: []Intent{{Object: pool, Initial: func(u *unstructured.Unstructured) error {
		return unstructured.SetNestedField(u.Object, int64(0), "spec", "replicas")
	}}}}
	l.must("pool", s)
	if written != 3 {
		t.Fatalf("the operator wrote %d times, want 3", written)
	}
	if _, double, err := disown(l.get(ref).GetManagedFields(), FieldManager("settle", "pool", "")); err != nil || double {
		t.Errorf("the create still owns what is applied (%v)", err)
	}
	if r := l.must("pool", s); r.changed {
		t.Errorf("the second run changed something: %v", r.told.effects())
	}
}

// Two labs that make the same object of the hub at the same time lose nothing:
// the slower one merges into what the other one made. A webhook that allows one
// object of a kind refuses the slower one's before the server sees that it exists.
func TestMergesIntoWhatIsMadeMeanwhile(t *testing.T) {
	const denied = `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403,` +
		`"message":"admission webhook \"one.example.com\" denied the request: there is one already"}`
	for name, refusal := range map[string]string{"exists": "", "denied": denied} {
		t.Run(name, func(t *testing.T) { mergesMeanwhile(t, refusal) })
	}
}

func mergesMeanwhile(t *testing.T, refusal string) {
	ns := hub.Namespace(t, "both")
	object := aConfigMap(ns, "both", nil)
	adds := func(key string) stub {
		return stub{intents: []Intent{{How: Merge, Shared: true, Object: object, Change: addKeys(map[string]string{key: key})}}}
	}
	faster := newLab(t, "faster")
	other := &interloper{times: 1, refusal: refusal,
		matches: func(r *http.Request) bool {
			return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, ns+"/configmaps")
		},
		act: func() { faster.must("ca", adds("faster")) },
	}
	slower := labAs(t, "slower", other.between(t))
	if r := slower.must("ca", adds("slower")); !r.changed {
		t.Error("the slower lab changed nothing")
	}
	u := faster.get(RefTo(object))
	if got, want := dataOf(u), map[string]string{"faster": "faster", "slower": "slower"}; !maps.Equal(got, want) {
		t.Errorf("holds %v, want %v", got, want)
	}
	for _, lab := range []*aLab{faster, slower} {
		if u.GetAnnotations()[UsedBy+lab.name] == "" {
			t.Errorf("%s is not among its users: %v", lab.name, u.GetAnnotations())
		}
		if r := lab.must("ca", adds(lab.name)); r.changed {
			t.Errorf("%s changed something again: %v", lab.name, r.told.effects())
		}
	}
}

// What somebody else changed while a merge was sent is not counted as the merge's.
func TestMergeThatSomebodyElseDid(t *testing.T) {
	ns := hub.Namespace(t, "done")
	object := aConfigMap(ns, "done", map[string]string{"a": "0"})
	other := newLab(t, "somebody")
	other.make(object)
	config := (&interloper{times: 1, matches: func(r *http.Request) bool { return r.Method == http.MethodPut },
		act: func() { other.set(RefTo(object), "1", "data", "a") }}).between(t)
	s := stub{intents: []Intent{{How: Merge, Object: object, Change: addKeys(map[string]string{"a": "1"})}}}
	if r := labAs(t, "done", config).must("done", s); r.changed {
		t.Errorf("changed: %v", r.told.effects())
	}
}

// An object of the hub whose making ended at any of its requests is, once the step was
// run again, owned as one whose making nothing disturbed.
func TestSharedIsMadeToTheEnd(t *testing.T) {
	const denied = `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403,"message":"not now"}`
	ns := hub.Namespace(t, "ends")
	made := func(name string, refused int) (first int, owns map[string]string) {
		writes := 0
		ends := &interloper{times: 1, refusal: denied, act: func() {}, matches: func(r *http.Request) bool {
			if r.Method == http.MethodGet || r.URL.Query().Get("dryRun") != "" {
				return false
			}
			writes++
			return writes == refused
		}}
		step := stub{intents: []Intent{{Shared: true, Object: aConfigMap(ns, name, map[string]string{"a": "1"})}}}
		l := labAs(t, "ends-"+name, ends.between(t))
		if r := l.run("shared", step); (r.err != nil) != (refused > 0) {
			t.Fatalf("request %d was refused: %v", refused, r.err)
		}
		first = writes
		l.must("shared", step)
		if r := l.must("shared", step); r.changed {
			t.Errorf("request %d was refused, and the third run changed something: %v", refused, r.told.effects())
		}
		owns = map[string]string{}
		for _, f := range l.get(RefTo(aConfigMap(ns, name, nil))).GetManagedFields() {
			owns[f.Manager+" "+string(f.Operation)] = f.FieldsV1.GetRawString()
		}
		return first, owns
	}
	alike := func(owns map[string]string, name string) map[string]string {
		all := map[string]string{}
		for manager, fields := range owns {
			all[strings.ReplaceAll(manager, name, "NAME")] = strings.ReplaceAll(fields, name, "NAME")
		}
		return all
	}
	made("first", 0) // and with it the inventory of the hub
	writes, owns := made("undisturbed", 0)
	want := alike(owns, "undisturbed")
	if writes < 4 || len(want) == 0 {
		t.Fatalf("it took %d writes, and is owned by %v", writes, want)
	}
	for n := 1; n <= writes; n++ {
		name := "cut" + strconv.Itoa(n)
		if _, owns := made(name, n); !maps.Equal(alike(owns, name), want) {
			t.Errorf("ended at request %d of %d: owned by %v, want %v", n, writes, alike(owns, name), want)
		}
	}
}
