package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"
)

// syncEvery bounds what a power cut may take from a journal. A killed process
// loses nothing: each event is written before the next one is made.
const syncEvery = time.Second

// Journal is the sink that keeps the stream in a file, a JSON line an event, one
// write(2) each. It reaches the disk in groups, at most a second after it was
// written, and at once around an effect that no later run can see.
type Journal struct {
	mu    sync.Mutex
	file  *os.File
	buf   bytes.Buffer
	event Event // being encoded; here, so that it is not allocated each time
	enc   *json.Encoder
	timer *time.Timer
	dirty bool
	err   error // the first error; a journal with a gap is not continued
}

// Create begins a journal at path, which must not exist. Its folder must; the
// file's mode is 0600.
func Create(path string) (*Journal, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("begin the journal: %w", err)
	}
	j := &Journal{file: f}
	j.enc = newEncoder(&j.buf)
	j.timer = time.AfterFunc(time.Hour, j.syncDue)
	j.timer.Stop()
	return j, nil
}

func newEncoder(buf *bytes.Buffer) *json.Encoder {
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	return enc
}

// Take appends one event. After an error the journal takes no more.
func (j *Journal) Take(e Event) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err != nil {
		return j.err
	}
	j.buf.Reset()
	j.event = e
	if err := j.enc.Encode(&j.event); err != nil {
		j.err = fmt.Errorf("encode the event %s of %s for the journal: %w", e.Type, e.Step, err)
		return j.err
	}
	if n, err := j.file.Write(j.buf.Bytes()); err != nil {
		j.fail(err)
		j.cutBack(n)
		return j.err
	}
	if mustSync(e) {
		return j.sync()
	}
	if !j.dirty {
		j.dirty = true
		j.timer.Reset(syncEvery)
	}
	return nil
}

// mustSync says whether what comes next relies on e being on the disk.
func mustSync(e Event) bool {
	switch e.Type {
	case RunStarted, RunFinished:
		return true
	case Intent, Done:
		return e.Effect != nil && !e.Effect.Observable
	}
	return false
}

// cutBack takes the torn rest of a failed write away again, as far as the disk
// lets it; a reader tolerates it too.
func (j *Journal) cutBack(n int) {
	if n <= 0 {
		return
	}
	if info, err := j.file.Stat(); err == nil {
		_ = j.file.Truncate(info.Size() - int64(n))
	}
}

func (j *Journal) fail(err error) {
	j.err = fmt.Errorf("keep the journal %s: %w; free some space, then run the same command", j.file.Name(), err)
}

func (j *Journal) sync() error {
	j.timer.Stop()
	j.dirty = false
	if err := j.file.Sync(); err != nil {
		j.fail(err)
	}
	return j.err
}

func (j *Journal) syncDue() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.dirty && j.err == nil {
		_ = j.sync()
	}
}

// Close brings the rest to the disk and closes the file.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.timer.Stop()
	if j.err == nil && j.dirty {
		_ = j.sync()
	}
	if err := j.file.Close(); err != nil && j.err == nil {
		j.fail(err)
	}
	return j.err
}
