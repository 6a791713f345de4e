package redfish

import (
	"context"
	"errors"
)

// mostFixed is how many requests a BMC gets at most, beside those for each NIC, media slot and storage resource.
const mostFixed = 14

var errSpent = errors.New("not asked: it would be one request more than a pre-flight sends")

// item reads a resource of which there is one for each NIC, media slot or storage resource.
func (p *probe) item(ctx context.Context, link string) (*resource, error) {
	before := p.service.conn.counter.n.Load()
	r, err := p.service.conn.get(ctx, link)
	p.items += p.service.conn.counter.n.Load() - before
	return r, err
}

// ifAffordable reads a resource, unless this BMC has had its requests. The deletion of the session is still to come.
func (p *probe) ifAffordable(ctx context.Context, link string) (*resource, error) {
	fixed := p.service.conn.counter.n.Load() - p.before - p.items
	if p.service.conn.login.session != "" {
		fixed++
	}
	if fixed >= mostFixed {
		return nil, errSpent
	}
	return p.service.conn.get(ctx, link)
}

// members reads a collection, with its members in it where the BMC says that it can give them so: whole, those that came
// along; links, the paths of the others.
func (p *probe) members(ctx context.Context, link string) (whole []*resource, links []string, err error) {
	if p.expands() {
		whole, links, err = p.unfold(ctx, link+"?$expand=.($levels=1)")
		if status := statusOf(err); status != 400 && status != 405 && status != 501 {
			return whole, links, err
		}
	}
	return p.unfold(ctx, link)
}

// expands says whether the service root advertises $expand for what a resource holds.
func (p *probe) expands() bool {
	for _, how := range []string{"NoLinks", "ExpandAll"} {
		if able, err := p.service.root.flag("ProtocolFeaturesSupported", "ExpandQuery", how); err == nil && able {
			return true
		}
	}
	return false
}

func (p *probe) unfold(ctx context.Context, link string) (whole []*resource, links []string, err error) {
	collection, err := p.ifAffordable(ctx, link)
	if err != nil {
		return nil, nil, err
	}
	links, err = collection.links("Members")
	if err != nil {
		return nil, nil, err
	}
	list, _ := collection.body["Members"].([]any)
	for _, item := range list {
		if body, _ := item.(map[string]any); len(body) > 1 {
			path, _ := body["@odata.id"].(string)
			whole = append(whole, &resource{path: path, body: body, received: collection.received})
		}
	}
	if len(whole) > 0 {
		links = nil
	}
	return whole, links, nil
}
