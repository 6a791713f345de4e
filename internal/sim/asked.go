package sim

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
)

// BMCRequest is one request that a BMC answered.
type BMCRequest struct {
	Service      int // of the lab's BMC services, from 0
	Method, Path string
	Code         string // HTTP status
}

// Write says whether it was one that changes something beside sessions.
func (r BMCRequest) Write() bool {
	return r.Method != "GET" && r.Method != "HEAD" && !strings.Contains(r.Path, "/SessionService/")
}

// accessLine is what an emulator logs of a request. All but those answered with 200 it colours, terminal or not.
var accessLine = regexp.MustCompile(`"(?:\x1b\[[0-9;]*m)*([A-Z]+) (\S+) HTTP/[0-9.]+(?:\x1b\[[0-9;]*m)*" (\d{3})`)

// BMCRequests are all requests that the BMCs answered so far, service by service: labrun's, Metal3's and those of the
// machines that look at their own BMC. The order is kept within each service.
func (l *Lab) BMCRequests() ([]BMCRequest, error) {
	var all []BMCRequest
	for service, r := range l.racks {
		f, err := os.Open(r.bmc.Log())
		if err != nil {
			return nil, fmt.Errorf("reading what the BMCs were asked: %w", err)
		}
		asked, err := accessLog(f, service)
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, fmt.Errorf("reading what the BMCs were asked: %w", err)
		}
		all = append(all, asked...)
	}
	return all, nil
}

// accessLog reads an emulator's log.
func accessLog(log io.Reader, service int) ([]BMCRequest, error) {
	var all []BMCRequest
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if m := accessLine.FindStringSubmatch(lines.Text()); m != nil {
			all = append(all, BMCRequest{service, m[1], m[2], m[3]})
		}
	}
	return all, lines.Err()
}
