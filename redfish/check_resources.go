package redfish

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

const slow = 3 * time.Second

// askResources compares the machine with what the lab asks. A figure of 0 is one that the BMC has not got: many learn it at
// the first power-on.
func askResources(ctx context.Context, p *probe) finding {
	asked := p.host.Minimum
	if asked == (Minimum{}) && !p.host.NeedsDisk {
		return skip("no minimum is given")
	}
	var seen, below []string
	var silent error
	note := func(text string, enough bool, err error) {
		switch {
		case err != nil:
			silent = err
		case enough:
			seen = append(seen, text)
		default:
			below = append(below, text)
		}
	}
	if asked.Cores > 0 {
		cores, property, err := p.cores()
		note(fmt.Sprintf("%s %d of %d", property, cores, asked.Cores), cores >= asked.Cores, err)
	}
	if asked.MemoryGiB > 0 {
		memory, err := p.figure("MemorySummary", "TotalSystemMemoryGiB")
		note(fmt.Sprintf("TotalSystemMemoryGiB %g of %d", memory, asked.MemoryGiB), memory >= float64(asked.MemoryGiB), err)
	}
	if p.host.NeedsDisk {
		text, found, err := p.disk(ctx)
		note(text, found, err)
	}
	switch {
	case len(below) > 0:
		return fail("", "%s", strings.Join(below, ", "))
	case silent != nil:
		return unknown("%s", reasonOf(silent))
	}
	return pass("%s", strings.Join(seen, ", "))
}

// cores gives the larger of the two counts: the installer counts threads, and not every BMC states those.
func (p *probe) cores() (count int, property string, err error) {
	for _, name := range []string{"LogicalProcessorCount", "CoreCount"} {
		n, missing := p.figure("ProcessorSummary", name)
		if missing != nil {
			err = missing
			continue
		}
		if int(n) > count {
			count, property = int(n), name
		}
	}
	if count > 0 {
		err = nil
	}
	return count, property, err
}

// figure reads a number of the system that is never 0 on a machine that works.
func (p *probe) figure(names ...string) (float64, error) {
	n, err := p.system.number(names...)
	if err == nil && n <= 0 {
		err = &PropertyError{Path: p.system.path, Property: strings.Join(names, "."), Problem: fmt.Sprintf("is %g: the BMC does not know it", n)}
	}
	return n, err
}

// disk looks for a drive, and stops at the first.
func (p *probe) disk(ctx context.Context) (text string, found bool, err error) {
	link, err := p.system.link("Storage")
	if err != nil {
		return "", false, err
	}
	collection, err := p.itemsAt(ctx, link)
	if err != nil {
		return "", false, err
	}
	members, err := collection.links("Members")
	if err != nil {
		return "", false, err
	}
	if len(members) == 0 {
		return "", false, &PropertyError{Path: collection.path, Property: "Members", Problem: "is empty: the BMC may not see the disks"}
	}
	for _, member := range members {
		storage, readErr := p.item(ctx, member)
		if readErr != nil {
			err = readErr
			continue
		}
		drives, missing := storage.links("Drives")
		if missing != nil {
			err = missing
		} else if len(drives) > 0 {
			return fmt.Sprintf("%s: Drives holds %d", printable(storage.path), len(drives)), true, nil
		}
	}
	return fmt.Sprintf("no drive in %s", printable(collection.path)), false, err
}

func askLatency(_ context.Context, p *probe) finding {
	c := p.service.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	return judgeLatency(c.took)
}

// judgeLatency judges how long the answers took.
func judgeLatency(took []time.Duration) finding {
	if len(took) == 0 {
		return unknown("there was no answer to measure")
	}
	sorted := slices.Sorted(slices.Values(took))
	slowest := sorted[len(sorted)-1]
	p95 := sorted[(len(sorted)*95+99)/100-1] // the nearest rank
	seen := fmt.Sprintf("slowest answer %s, 95%% within %s, of %d", slowest.Round(time.Millisecond), p95.Round(time.Millisecond), len(sorted))
	if slowest > slow {
		return warn("", "%s", seen)
	}
	return pass("%s", seen)
}
