package redfish

import (
	"context"
	"errors"
)

// mostFixed is how many requests a BMC gets at most, beside those for each NIC, media slot and storage resource. Managers
// after the first count as their slots.
const mostFixed = 14

var errSpent = errors.New("not asked: it would be one request more than a pre-flight sends")

// item reads a resource of which there is one for each NIC, media slot or storage resource.
func (p *probe) item(ctx context.Context, link string) (*resource, error) {
	before := p.service.conn.counter.n.Load()
	r, err := p.service.conn.get(ctx, link)
	p.items += p.service.conn.counter.n.Load() - before
	return r, err
}

// itemsAt reads a collection of storage resources, which counts as one of them.
func (p *probe) itemsAt(ctx context.Context, link string) (*resource, error) {
	before := p.service.conn.counter.n.Load()
	r, err := p.service.conn.withMembers(ctx, link)
	p.items += p.service.conn.counter.n.Load() - before
	return r, err
}

// ifAffordable reads a resource, unless this BMC has had its requests.
func (p *probe) ifAffordable(ctx context.Context, link string) (*resource, error) {
	if p.spent() {
		return nil, errSpent
	}
	return p.service.conn.get(ctx, link)
}

// spent says whether this BMC has had its requests. The deletion of the session is still to come.
func (p *probe) spent() bool {
	fixed := p.service.conn.counter.n.Load() - p.before - p.items
	if p.service.conn.login.session != "" {
		fixed++
	}
	return fixed >= mostFixed
}

// members reads a collection: whole are the members that came along with it, because the BMC gives them so, or that are
// known already; links, the paths of the others.
func (p *probe) members(ctx context.Context, link string) (whole []*resource, links []string, err error) {
	if p.spent() {
		return nil, nil, errSpent
	}
	c := p.service.conn
	collection, err := c.withMembers(ctx, link)
	if err != nil {
		return nil, nil, err
	}
	all, err := collection.links("Members")
	if err != nil {
		return nil, nil, err
	}
	for _, path := range all {
		if r := c.here(path); r != nil {
			whole = append(whole, r)
		} else {
			links = append(links, path)
		}
	}
	return whole, links, nil
}
