package labs

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// Preflight says what the hardware pre-flight asks for.
type Preflight struct {
	Require     Required              `yaml:"require" default:"all" doc:"how many workers must pass before a run goes on: all, or a number; those that do not pass are left out then"`
	Active      bool                  `yaml:"active" default:"false" doc:"before the BareMetalHosts, a run also puts a small image into each BMC's virtual drive, sees it fetched, sets the boot override, and undoes both; workers that have their BareMetalHost are only read"`
	ImageServer string                `yaml:"image_server,omitempty" doc:"HOST or HOST:PORT of this machine at which BMCs fetch that image, where the route to them does not tell; labrun preflight --active takes it, too"`
	Checks      map[string]Preference `yaml:"checks,omitempty" doc:"checks that are ignored, or taken otherwise, in this lab; by the ids that labrun preflight prints"`
}

// Preference is how a lab takes what one check of the pre-flight finds.
type Preference struct {
	Severity string `yaml:"severity" enum:"ignore|warn|fail" doc:"ignore: the check is not asked; warn or fail: what a warning or a failure of it counts as"`
	Reason   string `yaml:"reason" doc:"why; the report repeats it"`
}

// Required is a number of workers, or all of them where it is 0.
type Required int

// ErrRequired is the error of a text that is no Required.
var ErrRequired = errors.New("neither all nor a number of workers from 1")

// UnmarshalText reads "all" or a number from 1.
func (r *Required) UnmarshalText(text []byte) error {
	if string(text) == "all" {
		*r = 0
		return nil
	}
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 1 || strings.TrimLeft(string(text), "0123456789") != "" || text[0] == '0' {
		return fmt.Errorf("%q is %w", text, ErrRequired)
	}
	*r = Required(n)
	return nil
}

// MarshalText writes it as it is read.
func (r Required) MarshalText() ([]byte, error) {
	if r == 0 {
		return []byte("all"), nil
	}
	return []byte(strconv.Itoa(int(r))), nil
}

// TakesNumber tells that an expression may give it as a number, too.
func (Required) TakesNumber() {}

// Of gives the number that is required of so many workers.
func (r Required) Of(workers int) int {
	if r == 0 {
		return workers
	}
	return int(r)
}

// preflight checks that the lab can have as many workers as it requires, and that
// each changed check says why.
func (c *checker) preflight(f *Facts) {
	if n := f.Preflight.Require.Of(len(f.Workers)); n > len(f.Workers) {
		c.fail("preflight.require", "all, or a number of workers that the lab has", "the lab has %d workers, and %d of them must pass", len(f.Workers), n)
	}
	if s := f.Preflight.ImageServer; s != "" {
		u, err := url.Parse("http://" + s)
		if err != nil || u.Host != s || u.Hostname() == "" || strings.HasSuffix(s, ":") {
			c.fail("preflight.image_server", "HOST or HOST:PORT, IPv6 in brackets", "%q is no address that a server listens at", s)
		}
	}
	for id, p := range f.Preflight.Checks {
		at := "preflight.checks." + id
		switch {
		case p.Severity == "": // the decoder has told a missing one, but of a key without a value
			c.fail(at, "{severity: ignore, reason: …}", "lab.%s is empty", at)
		case strings.TrimSpace(p.Reason) == "":
			c.fail(at+".reason", "say why this lab may do so: the report repeats it", "lab.%s.reason is empty", at)
		}
	}
}

// virtualMedia checks from where BMCs are said to fetch their image.
func (c *checker) virtualMedia(v VirtualMedia) {
	const path = "management_cluster.virtual_media.url"
	if v.URL == "" {
		return
	}
	if v.ServedBy == "image-service" {
		c.fail(path, "leave it out, or write served_by: ironic", "it is Ironic's, and served_by says that BMCs fetch the discovery image's own URL")
		return
	}
	u, err := url.Parse(v.URL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
		c.fail(path, "https://HOST:PORT, IPv6 in brackets", "%q is no server's URL", v.URL)
	}
}
