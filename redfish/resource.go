package redfish

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// resource is the body of one Redfish resource. BMCs leave properties out, set them to null and get their types wrong;
// all three are told apart from a value, so that no check passes on what the BMC did not say.
type resource struct {
	path     string
	body     map[string]any
	header   http.Header
	received time.Time // when the answer was there

	expanded bool // it came within its collection, without headers of its own
}

// PropertyError says that a resource lacks a usable property.
type PropertyError struct {
	Path     string // of the resource
	Property string // dotted
	Problem  string // "is missing", "is null", "is a number, not text"
	Null     bool
}

func (e *PropertyError) Error() string {
	return fmt.Sprintf("%s: %s %s", e.Path, e.Property, e.Problem)
}

// at gives the property at the end of the names, or a *PropertyError.
func (r *resource) at(names ...string) (any, error) {
	dotted := strings.Join(names, ".")
	var value any = r.body
	for i, name := range names {
		object, ok := value.(map[string]any)
		if !ok {
			return nil, &PropertyError{r.path, strings.Join(names[:i], "."), "is " + kind(value) + ", not an object", value == nil}
		}
		if value, ok = object[name]; !ok {
			return nil, &PropertyError{r.path, dotted, "is missing", false}
		}
	}
	if value == nil {
		return nil, &PropertyError{r.path, dotted, "is null", true}
	}
	return value, nil
}

func (r *resource) text(names ...string) (string, error) {
	value, err := r.at(names...)
	if err != nil {
		return "", err
	}
	s, ok := value.(string)
	if !ok {
		return "", r.wrong(value, "text", names)
	}
	return s, nil
}

func (r *resource) flag(names ...string) (bool, error) {
	value, err := r.at(names...)
	if err != nil {
		return false, err
	}
	b, ok := value.(bool)
	if !ok {
		return false, r.wrong(value, "a boolean", names)
	}
	return b, nil
}

func (r *resource) number(names ...string) (float64, error) {
	value, err := r.at(names...)
	if err != nil {
		return 0, err
	}
	n, ok := value.(float64)
	if !ok {
		return 0, r.wrong(value, "a number", names)
	}
	return n, nil
}

// texts gives a list of text; an empty list is a value.
func (r *resource) texts(names ...string) ([]string, error) {
	value, err := r.at(names...)
	if err != nil {
		return nil, err
	}
	list, ok := value.([]any)
	if !ok {
		return nil, r.wrong(value, "a list", names)
	}
	var out []string
	for _, item := range list {
		s, ok := item.(string)
		if !ok {
			return nil, r.wrong(item, "text", append(slices.Clone(names), "[]"))
		}
		out = append(out, s)
	}
	return out, nil
}

// stated gives a list of text that holds something. An empty list of values that may be set says as little as none: clients
// take it for "anything goes".
func (r *resource) stated(names ...string) ([]string, error) {
	list, err := r.texts(names...)
	if err == nil && len(list) == 0 {
		err = &PropertyError{Path: r.path, Property: strings.Join(names, "."), Problem: "is empty"}
	}
	return list, err
}

// link gives the path of the resource that a property such as {"@odata.id": "/redfish/v1/Systems"} leads to.
func (r *resource) link(names ...string) (string, error) {
	return r.text(append(slices.Clone(names), "@odata.id")...)
}

// links gives the paths in a list of links, sorted: BMCs give them in any order, and two runs should read alike.
func (r *resource) links(names ...string) ([]string, error) {
	out, err := r.linksAsGiven(names...)
	slices.Sort(out)
	return slices.Compact(out), err
}

// linksAsGiven gives the paths in a list of links in the order of the BMC, where that decides which comes first.
func (r *resource) linksAsGiven(names ...string) ([]string, error) {
	value, err := r.at(names...)
	if err != nil {
		return nil, err
	}
	list, ok := value.([]any)
	if !ok {
		return nil, r.wrong(value, "a list", names)
	}
	var out []string
	for _, item := range list {
		object, _ := item.(map[string]any)
		id, ok := object["@odata.id"].(string)
		if !ok {
			return nil, r.wrong(item, "a link", append(slices.Clone(names), "[]"))
		}
		out = append(out, id)
	}
	return out, nil
}

func (r *resource) wrong(value any, want string, names []string) error {
	return &PropertyError{r.path, strings.Join(names, "."), fmt.Sprintf("is %s, not %s", kind(value), want), value == nil}
}

// isA says whether the resource's @odata.type names this schema, with any version.
func (r *resource) isA(schema string) (bool, error) {
	t, err := r.text("@odata.type")
	if err != nil {
		return false, err
	}
	return strings.HasPrefix(strings.TrimPrefix(t, "#"), schema+"."), nil
}

func kind(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case string:
		return "text"
	case bool:
		return "a boolean"
	case float64, json.Number:
		return "a number"
	case []any:
		return "a list"
	default:
		return "an object"
	}
}

// decode reads a body as a JSON object.
func decode(path string, header http.Header, body []byte) (*resource, error) {
	var object map[string]any
	if err := json.Unmarshal(body, &object); err != nil || object == nil {
		return nil, fmt.Errorf("the answer is no JSON object but %s", excerpt(header, body))
	}
	return &resource{path: path, body: object, header: header}, nil
}

// excerpt shows the start of what answered instead of Redfish.
func excerpt(header http.Header, body []byte) string {
	if len(body) == 0 {
		return "empty"
	}
	const most = 60
	if len(body) > most {
		body = append(slices.Clone(body[:most]), "…"...)
	}
	s := fmt.Sprintf("%q", body)
	if t := header.Get("Content-Type"); t != "" {
		s = printable(t) + " " + s
	}
	return s
}

// localPath makes a request path of a link in a body. A link to another host is refused: a credential would follow it.
func localPath(base *url.URL, link string) (string, error) {
	u, err := url.Parse(link)
	if err != nil {
		return "", fmt.Errorf("link %q cannot be read", printable(link))
	}
	if u.Host != "" && (u.Host != base.Host || u.Scheme != "" && u.Scheme != base.Scheme) || u.Opaque != "" {
		return "", fmt.Errorf("link %q leads to another host", printable(link))
	}
	if !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(u.Path, "//") {
		return "", fmt.Errorf("link %q is no path on this BMC", printable(link))
	}
	out := u.EscapedPath()
	if u.RawQuery != "" {
		out += "?" + u.RawQuery
	}
	return out, nil
}

// printable makes text from a BMC fit for one line of a terminal: no control characters, of bounded length.
func printable(s string) string {
	const most = 300
	s = strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
