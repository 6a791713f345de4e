package site

import (
	"context"
	"fmt"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/redfish"
	"github.com/labrun/labrun/steps/kube"
)

// Site is what is asked about, and with what.
type Site struct {
	Facts      *labs.Facts
	Kubeconfig string // of the management cluster
	Secret     func(ctx context.Context, ref labs.SecretRef) (labs.Secret, error)
	Hub        func(ctx context.Context) (*kube.Cluster, error)
}

// Check is one question about the site.
type Check struct {
	ID     string
	Area   string   // dns, registry, images or cluster
	Asks   string   // what is asked
	Rule   string   // what makes it fail or warn
	Why    string   // what fails later without it
	Remedy string   // what to do about it, in general; a result's remedy is about this lab
	Needs  []string // ids of checks that come before; where one did not pass or warn, this one is skipped

	// disconnected says that it concerns disconnected labs only.
	disconnected bool
	ask          func(ctx context.Context, s Site) finding
}

// Areas lists the areas, in the order in which they are reported.
func Areas() []string { return []string{"dns", "registry", "images", "cluster"} }

// finding is what a check's function gives: a Result without the id.
type finding struct {
	status redfish.Status
	seen   string
	remedy string
}

func pass(format string, args ...any) finding {
	return finding{status: redfish.Pass, seen: fmt.Sprintf(format, args...)}
}

func skip(format string, args ...any) finding {
	return finding{status: redfish.Skip, seen: fmt.Sprintf(format, args...)}
}

func unknown(remedy, format string, args ...any) finding {
	return finding{redfish.Unknown, fmt.Sprintf(format, args...), remedy}
}

func warn(remedy, format string, args ...any) finding {
	return finding{redfish.Warn, fmt.Sprintf(format, args...), remedy}
}

func fail(remedy, format string, args ...any) finding {
	return finding{redfish.Fail, fmt.Sprintf(format, args...), remedy}
}
