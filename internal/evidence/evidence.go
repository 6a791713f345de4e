// Package evidence keeps what an expert would want to see of a step that failed,
// in a folder of its own below the run's: what the step's kind can show, and
// why.md, one page that somebody who was not there can act on. Nothing of it
// holds a secret; files are 0600 and of bounded size.
package evidence

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/pipeline/event"
)

// Page is the page to read first.
const Page = "why.md"

const (
	fileLimit   = 256 << 10 // bytes of one file
	folderLimit = 8 << 20   // bytes of one failure
	shown       = 2 << 10   // bytes of a BMC's view that the page shows itself
	timeline    = 40        // latest events of the instance that the page tells
)

// Advice is what is known about a kind of failure.
type Advice struct {
	ID    string
	Means string
	Cures []string
}

// Keeper keeps the evidence of one run. It is a sink of the run's events, which
// reach it with their secrets masked.
type Keeper struct {
	command string
	mask    func(string) string
	advise  func(code string) (Advice, bool)

	mu    sync.Mutex
	state event.State
	told  map[string][]event.Event // by instance, the latest
}

// New makes a keeper. command is the lab as the user names it on a command line:
// its file and flags. mask takes the secrets out of a text; advise knows what a
// report's code stands for, and may be nil.
func New(command string, mask func(string) string, advise func(code string) (Advice, bool)) *Keeper {
	return &Keeper{command: command, mask: mask, advise: advise, told: map[string][]event.Event{}}
}

// Take notes an event.
func (k *Keeper) Take(e event.Event) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.state.Add(e)
	if e.Step == "" {
		return nil
	}
	id := e.Step + "." + e.Key
	told := append(k.told[id], e)
	if e.Type == event.StepFinished && e.Result != nil && e.Result.Status != event.Failed {
		delete(k.told, id) // nobody asks for it any more
		return nil
	}
	k.told[id] = told[max(0, len(told)-timeline):]
	return nil
}

// Collect keeps what a failed instance leaves. What cannot be kept is told on the
// page; where not even that can be written there is no evidence.
func (k *Keeper) Collect(ctx context.Context, f pipeline.Failure) *event.Evidence {
	folder := &folder{dir: f.Dir, mask: k.mask}
	var missing error
	if f.Witness != nil {
		missing = f.Witness(ctx, folder.keep)
		if ctx.Err() != nil {
			missing = errors.Join(missing, errors.New("the time for collecting evidence was up: something did not answer"))
		}
	}
	files := folder.close()
	page := filepath.Join(f.Dir, Page)
	if err := os.MkdirAll(f.Dir, 0o700); err != nil {
		return nil
	}
	if err := os.WriteFile(page, []byte(k.mask(k.page(f, files, missing))), 0o600); err != nil {
		return nil
	}
	var names []string
	for _, file := range files {
		names = append(names, file.name)
	}
	return &event.Evidence{Page: page, Files: names}
}

// folder is the evidence of one failure.
type folder struct {
	dir  string
	mask func(string) string

	mu     sync.Mutex
	bytes  int
	kept   []kept
	closed bool
}

type kept struct {
	name string
	cut  bool
	text string // of a short one that the page shows
}

// keep writes one file. Of what is too long the end is kept: the newest.
func (f *folder) keep(name string, content []byte) error {
	name = safe(f.mask(name))
	text := f.mask(string(content))
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return errors.New("too late")
	}
	limit := min(fileLimit, folderLimit-f.bytes)
	cut := len(text) > limit
	if cut {
		text = tail(text, limit)
	}
	if limit <= 0 || name == Page {
		return fmt.Errorf("%s was not kept: the evidence of one failure holds at most %d MiB", name, folderLimit>>20)
	}
	path := filepath.Join(f.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("keeping %s: %w", name, err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return fmt.Errorf("keeping %s: %w", name, err)
	}
	f.bytes += len(text)
	k := kept{name: name, cut: cut}
	if strings.HasPrefix(name, "bmc-") && len(text) <= shown {
		k.text = text
	}
	f.kept = append(f.kept, k)
	return nil
}

// close ends the collecting: nothing is written beside the page's back.
func (f *folder) close() []kept {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	return slices.Clone(f.kept)
}

// tail gives the last whole lines of a text that fit into limit bytes.
func tail(text string, limit int) string {
	if limit <= 0 {
		return ""
	}
	text = text[len(text)-limit:]
	if _, rest, found := strings.Cut(text, "\n"); found {
		return rest
	}
	return text
}

// safe makes a path below the folder of a name that an object may have given.
func safe(name string) string {
	parts := strings.Split(name, "/")
	for i, part := range parts {
		part = strings.Map(func(r rune) rune {
			if r < ' ' || strings.ContainsRune(`\:*?"<>|`, r) {
				return '_'
			}
			return r
		}, part)
		if part == "" || strings.Trim(part, ".") == "" {
			part = "_"
		}
		parts[i] = part
	}
	return strings.Join(parts, "/")
}
