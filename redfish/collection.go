package redfish

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// mostPages is how many pages of one collection are read: an endless chain of links would go on for ever.
const mostPages = 16

// expandQuery is the query by which a service gives a collection together with its members, as its root advertises it;
// empty where it does not.
func expandQuery(root *resource) string {
	can := func(name string) bool {
		on, err := root.flag("ProtocolFeaturesSupported", "ExpandQuery", name)
		return err == nil && on
	}
	query := ""
	switch {
	case can("NoLinks"):
		query = "$expand=."
	case can("ExpandAll"):
		query = "$expand=*"
	default:
		return ""
	}
	if can("Levels") {
		query += "($levels=1)"
	}
	return query
}

// withMembers reads a collection whose members are wanted, too, all its pages. Where the service can, they come in the same
// answer, and get knows them then; those that do not are read by get, one by one. A conn that keeps nothing reads the
// collection only.
func (c *conn) withMembers(ctx context.Context, link string) (*resource, error) {
	return c.known(ctx, link, func(ctx context.Context, path string) (*resource, error) {
		if c.expand == "" || c.cache == nil {
			return c.readPages(ctx, path, "")
		}
		r, err := c.readPages(ctx, path, c.expand)
		switch status := statusOf(err); {
		case err == nil && complete(r):
			if members, _ := r.body["Members"].([]any); len(members) > 0 && !slices.ContainsFunc(members, isWhole) {
				c.expand = "" // ignored: what came is the plain collection
			}
			return r, nil
		case ctx.Err() != nil, errors.Is(err, ErrRedirect), status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusNotFound:
			return r, err // no other query would be answered better
		}
		c.expand = "" // refused, or more than the service can do: it is not asked for again
		return c.readPages(ctx, path, "")
	})
}

// readPages reads a collection, and where it comes in pages, the others, and keeps the members that came with it: some BMCs
// send them unasked.
func (c *conn) readPages(ctx context.Context, path, query string) (*resource, error) {
	r, err := c.read(ctx, withQuery(path, query))
	if err != nil {
		return nil, err
	}
	r.path = path
	if err := c.readOn(ctx, r, withQuery(path, query)); err != nil {
		return nil, err
	}
	if c.cache != nil && complete(r) {
		c.keepMembers(r)
	}
	return r, nil
}

// readOn adds the members of the following pages to a collection.
func (c *conn) readOn(ctx context.Context, r *resource, first string) error {
	seen := map[string]bool{first: true}
	for page := r; ; {
		link, err := page.text("Members@odata.nextLink")
		if err != nil {
			return nil // the last page has none
		}
		next, err := localPath(c.base, link)
		if err != nil {
			return err
		}
		if seen[next] || len(seen) == mostPages {
			return fmt.Errorf("%s: its pages do not end, or are more than %d", r.path, mostPages)
		}
		seen[next] = true
		if page, err = c.read(ctx, next); err != nil {
			return err
		}
		more, err := page.at("Members")
		if err != nil {
			return err
		}
		latter, ok := more.([]any)
		if !ok {
			return page.wrong(more, "a list", []string{"Members"})
		}
		former, _ := r.body["Members"].([]any)
		r.body["Members"] = append(former, latter...)
	}
}

func withQuery(path, query string) string {
	switch {
	case query == "":
		return path
	case strings.Contains(path, "?"):
		return path + "&" + query
	}
	return path + "?" + query
}

// complete says whether a collection names all the members that it counts.
func complete(r *resource) bool {
	members, ok := r.body["Members"].([]any)
	if !ok {
		return false
	}
	count, ok := r.body["Members@odata.count"].(float64)
	return !ok || float64(len(members)) >= count
}

// keepMembers notes the members that came whole with their collection. What was read by its own path stays.
func (c *conn) keepMembers(collection *resource) {
	members, _ := collection.body["Members"].([]any)
	for _, m := range members {
		body, _ := m.(map[string]any)
		id, _ := body["@odata.id"].(string)
		path, err := localPath(c.base, id)
		if _, known := c.cache[cacheKey(path)]; err != nil || known || !isWhole(m) {
			continue
		}
		member := *collection
		member.path, member.body, member.header, member.expanded = path, body, http.Header{}, true
		if tag, ok := body["@odata.etag"].(string); ok {
			member.header.Set("ETag", tag)
		}
		c.cache[cacheKey(path)] = answer{resource: &member}
	}
}

// here gives a resource that is known without asking; nil where it is not.
func (c *conn) here(link string) *resource {
	path, err := localPath(c.base, link)
	if err != nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cache[cacheKey(path)].resource
}

// isWhole says whether a member is a resource, and no link or excerpt: it has its type, and something to say beside its name.
func isWhole(member any) bool {
	body, _ := member.(map[string]any)
	if _, ok := body["@odata.type"].(string); !ok {
		return false
	}
	return slices.ContainsFunc(slices.Collect(maps.Keys(body)), func(name string) bool {
		return !strings.Contains(name, "@") && !slices.Contains([]string{"Id", "Name", "Description", "error"}, name)
	})
}

// itself reads a resource that came within its collection once more, by its own path: for its headers. Where that does not
// work, what came stands.
func (c *conn) itself(ctx context.Context, r *resource) *resource {
	if !r.expanded {
		return r
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	own, err := c.read(ctx, r.path)
	if err != nil {
		return r
	}
	c.cache[cacheKey(r.path)] = answer{resource: own}
	return own
}
