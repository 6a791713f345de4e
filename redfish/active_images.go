package redfish

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/labrun/labrun/redfish/bootiso"
	"github.com/labrun/labrun/redfish/imageserver"
)

// bootLine is what a machine prints that really boots the image.
const bootLine = "labrun preflight: this image only proves that the virtual drive works. Nothing was changed. Take it out and restart."

// offer is an image that a host's BMC may fetch.
type offer = *imageserver.Offer

// images serves the image to all hosts of a pre-flight: one server for each address of this machine.
type images struct {
	mu      sync.Mutex
	iso     []byte
	servers map[string]*imageserver.Server
}

// offer makes a URL that the host's BMC reaches.
func (i *images) offer(ctx context.Context, p *probe) (offer, error) {
	listen := p.run.opts.Active.Listen
	if listen == "" {
		d := p.service.conn.dialer
		var err error
		if listen, err = imageserver.Towards(ctx, d.resolver, d.network, p.address.Endpoint()); err != nil {
			return nil, err
		}
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if s := i.servers[listen]; s != nil {
		return s.Offer(), nil
	}
	if i.iso == nil {
		var err error
		if i.iso, err = bootiso.Image(bootLine); err != nil {
			return nil, err
		}
	}
	s, err := imageserver.Listen(ctx, listen, i.iso)
	if err != nil {
		return nil, err
	}
	if i.servers == nil {
		i.servers = map[string]*imageserver.Server{}
	}
	i.servers[listen] = s
	return s.Offer(), nil
}

// close ends all servers.
func (i *images) close() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	var errs []error
	for _, s := range i.servers {
		errs = append(errs, s.Close())
	}
	i.servers = nil
	return errors.Join(errs...)
}

// served says whether an image of an active probe is still on offer: then that probe is at work just now, and no leftover.
func served(ctx context.Context, image string) bool {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodHead, image, nil)
	if err != nil {
		return false
	}
	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	answer, err := client.Do(r)
	if err != nil {
		return false
	}
	answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// contents is what a slot says of itself. BMCs write "no image" as null, "" and "None".
type contents struct {
	inserted    bool
	insertedErr error // the BMC does not say
	image       string
	imageErr    error
	console     bool // a person's console holds it
}

func (s slot) contents() contents {
	var c contents
	c.inserted, c.insertedErr = s.flag("Inserted")
	c.image, c.imageErr = s.text("Image")
	if strings.EqualFold(c.image, "None") {
		c.image = ""
	}
	var property *PropertyError
	if errors.As(c.imageErr, &property) && property.Null {
		c.imageErr = nil
	}
	via, _ := s.text("ConnectedVia")
	c.console = via == "Applet" && !fromServer(c.image)
	return c
}

// fromServer says whether an image was fetched by the BMC itself: bmcweb says Applet of such a one, too. A console's is a file.
func fromServer(image string) bool {
	u, err := url.Parse(image)
	return err == nil && u.Host != "" && (strings.EqualFold(u.Scheme, "http") || strings.EqualFold(u.Scheme, "https"))
}

func (c contents) silent() bool { return c.insertedErr != nil && c.imageErr != nil }

func (c contents) empty() bool {
	return !c.silent() && !c.inserted && c.image == "" && !c.console
}

// shows says whether the image that the slot names is this one: some BMCs keep only the end of a URL.
func (c contents) shows(url string) bool {
	return c.image != "" && (c.image == url || strings.HasSuffix(url, "/"+strings.TrimPrefix(c.image, "/")))
}
