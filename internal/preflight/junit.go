package preflight

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/jstemmer/go-junit-report/v2/junit"

	"github.com/labrun/labrun/redfish"
)

// JUnit writes a test suite a worker and area, with a test case a check. What is skipped or unknown is skipped there, and a
// warning is a success with its text as output.
func (r Report) JUnit(w io.Writer) error {
	all := junit.Testsuites{Name: "labrun preflight " + r.Lab, Time: seconds(time.Duration(r.Summary.DurationMS) * time.Millisecond)}
	for _, h := range r.Hosts {
		s := suite(h.Name, r.Lab+"."+h.Name, h.Duration, h.Checks)
		s.AddProperty("address", valid(h.Address))
		s.AddProperty("machine", valid(strings.Join(strings.Fields(h.Vendor+" "+h.Model+" "+h.Firmware), " ")))
		s.AddProperty("requests", fmt.Sprint(h.Requests))
		all.AddSuite(s)
	}
	for _, a := range r.LabChecks {
		all.AddSuite(suite(a.Area, r.Lab+"."+a.Area, a.Duration, a.Checks))
	}
	return all.WriteXML(w)
}

func suite(name, class string, took time.Duration, results []redfish.Result) junit.Testsuite {
	s := junit.Testsuite{Name: name, Time: seconds(took)}
	for _, c := range results {
		one := junit.Testcase{Name: c.ID, Classname: class}
		text := valid(c.Seen)
		switch c.Status {
		case redfish.Fail:
			one.Failure = &junit.Result{Message: text, Type: string(c.Status), Data: valid(c.Seen + "\n" + c.Remedy)}
		case redfish.Skip, redfish.Unknown:
			one.Skipped = &junit.Result{Message: string(c.Status) + ": " + text}
		case redfish.Warn:
			one.SystemOut = &junit.Output{Data: valid("warn: " + c.Seen + "\n" + c.Remedy)}
		}
		s.AddTestcase(one)
	}
	return s
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

// valid takes out what XML cannot hold.
func valid(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && (unicode.IsControl(r) || r == 0xFFFE || r == 0xFFFF) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}
