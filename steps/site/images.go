package site

import (
	"context"
	"net/http"

	"github.com/dustin/go-humanize"

	"github.com/labrun/labrun/redfish"
)

func askISO(ctx context.Context, s Site) finding {
	return s.image(ctx, s.Facts.Release.RHCOS.ISO, redfish.Fail)
}

func askRootFS(ctx context.Context, s Site) finding {
	return s.image(ctx, s.Facts.Release.RHCOS.RootFS, redfish.Warn)
}

// image asks for one byte; missing is what an image counts as that is not served.
func (s Site) image(ctx context.Context, url string, missing redfish.Status) finding {
	t, err := s.transport()
	if err != nil {
		return fail("", "%v", err)
	}
	defer t.CloseIdleConnections()
	served, err := FirstByte(ctx, &http.Client{Transport: t}, url)
	switch {
	case err != nil:
		return finding{status: missing, seen: url + ": " + reason(err)}
	case served.Length < 0:
		return warn("serve it with a Content-Length", "%s answers without its length", url)
	case !served.Ranges:
		return warn("serve it from a web server that knows ranges: a download that breaks off starts anew", "%s answers, %s, without ranges", url, humanize.IBytes(uint64(served.Length)))
	}
	return pass("%s answers, %s, with ranges", url, humanize.IBytes(uint64(served.Length)))
}
