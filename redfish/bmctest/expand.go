package bmctest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// maxLevels is the MaxLevels that a BMC advertises.
const maxLevels = 2

// expandQuery is the value of $expand in the standard's grammar: what to expand, and how deep.
var expandQuery = regexp.MustCompile(`^([.*~])(?:\(\$levels=([0-9]+)\))?$`)

// render encodes a resource as a request's query wants it; the caller holds b.mu. An error comes with the status to answer.
func (b *BMC) render(path string, query url.Values) ([]byte, int, error) {
	body := b.tree[path]
	asked, expand := query["$expand"]
	body, err := b.page(path, body, query)
	if err != nil {
		return nil, http.StatusBadRequest, err
	}
	if expand {
		status, err := b.refuseExpand(asked[0])
		if err != nil {
			return nil, status, err
		}
		body = b.expanded(body, asked[0])
	}
	content, err := json.Marshal(body)
	return content, http.StatusInternalServerError, err
}

func (b *BMC) refuseExpand(asked string) (int, error) {
	switch b.config.Expand {
	case ExpandRefused:
		return http.StatusNotImplemented, fmt.Errorf("the query $expand is not supported")
	case ExpandInvalid:
		return http.StatusBadRequest, fmt.Errorf("the value %q of $expand is invalid", asked)
	case ExpandWorks, ExpandPartial, ExpandExcerpts:
		parts := expandQuery.FindStringSubmatch(asked)
		if parts == nil {
			return http.StatusBadRequest, fmt.Errorf("the value %q of $expand is invalid", asked)
		}
		if levels, _ := strconv.Atoi(parts[2]); levels > maxLevels || parts[2] == "0" {
			return http.StatusBadRequest, fmt.Errorf("%s levels are not supported: at most %d", parts[2], maxLevels)
		}
	}
	return 0, nil
}

// expanded is a copy of a body with the resources in it that its links lead to.
func (b *BMC) expanded(body map[string]any, asked string) map[string]any {
	if b.config.Expand == ExpandNone || b.config.Expand == ExpandIgnored {
		return body
	}
	parts := expandQuery.FindStringSubmatch(asked)
	levels := 1
	if parts[2] != "" {
		levels, _ = strconv.Atoi(parts[2])
	}
	first := true
	out, _ := b.follow(body, parts[1], levels, false, &first).(map[string]any)
	return out
}

// follow expands the links within a value: "." those outside Links, "~" those inside, "*" all.
func (b *BMC) follow(value any, which string, levels int, inLinks bool, first *bool) any {
	switch value := value.(type) {
	case []any:
		out := make([]any, len(value))
		for i, item := range value {
			out[i] = b.follow(item, which, levels, inLinks, first)
		}
		return out
	case map[string]any:
		if target, ok := linked(value); ok {
			if which == "." && inLinks || which == "~" && !inLinks || levels == 0 {
				return value
			}
			return b.member(target, value, which, levels, first)
		}
		out := map[string]any{}
		for name, item := range value {
			out[name] = b.follow(item, which, levels, inLinks || name == "Links", first)
		}
		return out
	}
	return value
}

// member is what stands for a link in an expanded body.
func (b *BMC) member(target string, link map[string]any, which string, levels int, first *bool) any {
	body, ok := b.tree[strings.TrimSuffix(target, "/")]
	if !ok || b.config.Expand == ExpandPartial && !*first {
		return link
	}
	*first = false
	if b.config.Expand == ExpandExcerpts {
		out := maps.Clone(body)
		maps.DeleteFunc(out, func(name string, _ any) bool {
			return name != "@odata.id" && name != "@odata.type" && name != "Id" && name != "Name"
		})
		return out
	}
	if levels == 1 {
		return body
	}
	return b.follow(body, which, levels-1, false, first)
}

// linked says whether an object is a link and nothing else, and to where.
func linked(object map[string]any) (string, bool) {
	target, ok := object["@odata.id"].(string)
	return target, ok && len(object) == 1
}

// page is a collection's body with as many members as fit into one answer, from $skip on.
func (b *BMC) page(path string, body map[string]any, query url.Values) (map[string]any, error) {
	members, ok := body["Members"].([]any)
	if !ok || b.config.PageSize <= 0 {
		return body, nil
	}
	skip := 0
	if s := query.Get("$skip"); s != "" {
		var err error
		if skip, err = strconv.Atoi(s); err != nil || skip < 0 {
			return nil, fmt.Errorf("the value %q of $skip is invalid", s)
		}
	}
	out := maps.Clone(body)
	rest := members[min(skip, len(members)):]
	if len(rest) > b.config.PageSize {
		rest = rest[:b.config.PageSize]
		next := url.Values{"$skip": {strconv.Itoa(skip + b.config.PageSize)}}
		if query.Has("$expand") {
			next.Set("$expand", query.Get("$expand"))
		}
		out["Members@odata.nextLink"] = path + "?" + next.Encode()
	}
	out["Members"], out["Members@odata.count"] = rest, len(members)
	return out, nil
}
