package redfish

import (
	"context"
	"fmt"
)

// Status is the result of a check, or the worst of a host's.
type Status string

// The results. Unknown means that the BMC does not say; skip that the check was not asked, and Seen says why.
const (
	Pass    Status = "pass"
	Warn    Status = "warn"
	Fail    Status = "fail"
	Skip    Status = "skip"
	Unknown Status = "unknown"
)

// Check is one question to a BMC.
type Check struct {
	ID     string
	Asks   string   // what is asked
	Rule   string   // what makes it fail or warn
	Why    string   // what fails later without it
	Remedy string   // what to do about it, in general; a Result's remedy is about the host
	Needs  []string // ids of checks that come before; where one failed or was skipped, this one is skipped

	Active bool // of ActiveCatalogue: it changes something at the BMC, and changes it back

	// perService says that the answer holds for every host behind the same service, and is asked for once.
	perService bool
	ask        func(ctx context.Context, p *probe) finding
}

// Result is the answer to one check.
type Result struct {
	ID     string `json:"id"`
	Status Status `json:"status"`
	Seen   string `json:"seen"`
	Remedy string `json:"remedy"` // for warn, fail and where unknown can be mended
}

// finding is what a check's function gives: a Result without the id.
type finding struct {
	status Status
	seen   string
	remedy string
}

func pass(format string, args ...any) finding {
	return finding{status: Pass, seen: fmt.Sprintf(format, args...)}
}

func unknown(format string, args ...any) finding {
	return finding{status: Unknown, seen: fmt.Sprintf(format, args...)}
}

func skip(format string, args ...any) finding {
	return finding{status: Skip, seen: fmt.Sprintf(format, args...)}
}

func warn(remedy, format string, args ...any) finding {
	return finding{Warn, fmt.Sprintf(format, args...), remedy}
}

func fail(remedy, format string, args ...any) finding {
	return finding{Fail, fmt.Sprintf(format, args...), remedy}
}

// worst is a host's status: fail before warn before pass. Unknown does not count: a BMC need not say everything.
func worst(results []Result) Status {
	status := Pass
	for _, r := range results {
		switch {
		case r.Status == Fail:
			return Fail
		case r.Status == Warn:
			status = Warn
		}
	}
	return status
}
