package statedir

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"github.com/labrun/labrun/internal/holder"
)

func lab(t *testing.T) *Lab {
	t.Helper()
	l, err := Of(t.TempDir(), "ipv6")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestRunNumbersAndPrune(t *testing.T) {
	l := lab(t)
	lock, err := l.Lock(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := lock.Unlock(); err != nil {
			t.Error(err)
		}
	}()
	if _, err := l.Last(); !errors.Is(err, ErrNoRun) {
		t.Errorf("Last of a new lab gave %v", err)
	}
	for want := 1; want <= Keep+3; want++ {
		r, err := l.Begin()
		if err != nil || r.Number != want {
			t.Fatalf("run %v, %v; want %d", r, err, want)
		}
		if err := os.WriteFile(r.Journal(), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(r.Evidence("host", "worker0"), "logs"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Prune(Keep, 2); err != nil { // of run 2 something still stands
		t.Fatal(err)
	}
	if runs, err := l.Runs(); err != nil || len(runs) != Keep+2 || runs[0] != 2 {
		t.Errorf("after Prune of what is not needed: %v, %v", runs, err)
	}
	for n, want := range map[int]int{2: 1, 3: 1, 4: 2} { // the journal, and evidence
		if entries, err := os.ReadDir(l.Run(n).Dir); err != nil || len(entries) != want || entries[len(entries)-1].Name() != JournalName {
			t.Errorf("of run %d is left: %v, %v", n, entries, err)
		}
	}
	if err := l.Prune(Keep, 0); err != nil {
		t.Fatal(err)
	}
	runs, err := l.Runs()
	if err != nil || len(runs) != Keep || !slices.IsSorted(runs) || runs[0] != 4 {
		t.Errorf("after Prune: %v, %v", runs, err)
	}
	if err := os.Mkdir(filepath.Join(l.Dir, "99"), 0o700); err != nil { // killed before its journal began
		t.Fatal(err)
	}
	last, err := l.Last()
	if err != nil || last.Number != Keep+3 {
		t.Errorf("Last = %v, %v", last, err)
	}
	for path, want := range map[string]os.FileMode{l.Dir: 0o700, last.Dir: 0o700, filepath.Join(l.Dir, "lock"): 0o600} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v; want mode %v", path, info.Mode(), err, want)
		}
	}
	if got := last.Evidence("host", "worker0"); got != filepath.Join(last.Dir, "host.worker0") {
		t.Errorf("evidence in %s", got)
	}
}

func TestLockNamesItsHolder(t *testing.T) {
	l := lab(t)
	since := time.Date(2026, 11, 23, 12, 0, 0, 0, time.Local)
	first, err := l.Lock(since)
	if err != nil {
		t.Fatal(err)
	}
	_, err = l.Lock(time.Now())
	var held *Held
	if !errors.As(err, &held) || held.Holder.PID != os.Getpid() || held.ExitCode() != 4 {
		t.Fatalf("a second lock gave %v", err)
	}
	if !strings.Contains(err.Error(), "since 2026-11-23 12:00:00") {
		t.Errorf("the error does not say since when: %v", err)
	}
	if h, ok := l.Holder(); !ok || !h.Is(holder.Self(time.Now())) || h.Start == "" || h.Boot == "" {
		t.Errorf("Holder = %+v, %v; want this process, with its start and boot", h, ok)
	}
	if h, _ := l.Holder(); h.Run != 0 {
		t.Errorf("Holder = %+v before it has a run", h)
	}
	if err := first.Begins(7); err != nil {
		t.Fatal(err)
	}
	if h, ok := l.Holder(); !ok || h.Run != 7 || !h.Since.Equal(since) || !h.Is(held.Holder) {
		t.Errorf("Holder = %+v, %v; want run 7 of the same process", h, ok)
	}
	if err := first.Unlock(); err != nil {
		t.Fatal(err)
	}
	if h, ok := l.Holder(); ok {
		t.Errorf("after Unlock it is held by %v", h)
	}
	again, err := l.Lock(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Unlock(); err != nil {
		t.Fatal(err)
	}
}

// Who asks for the holder at the moment that a run starts does not stop it.
func TestLockOutlastsALook(t *testing.T) {
	l := lab(t)
	first, err := l.Lock(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Unlock(); err != nil {
		t.Fatal(err)
	}
	look := flock.New(filepath.Join(l.Dir, "lock"), flock.SetFlag(os.O_RDWR))
	if ok, err := look.TryRLock(); err != nil || !ok {
		t.Fatalf("the shared lock: %v, %v", ok, err)
	}
	over := make(chan error, 1)
	time.AfterFunc(3*pause, func() { over <- look.Close() })
	again, err := l.Lock(time.Now())
	if err != nil {
		t.Fatalf("while somebody looks: %v", err)
	}
	if err := errors.Join(<-over, again.Unlock()); err != nil {
		t.Error(err)
	}
}

func TestHeldSaysWhatToDo(t *testing.T) {
	for _, h := range []Held{{Lab: "a"}, {Lab: "a", Holder: holder.Holder{PID: 7, Host: "h"}}} {
		if text := h.Error(); !strings.HasSuffix(text, "or watch it: labrun status LAB --follow") {
			t.Errorf("%s", text)
		}
	}
}

func TestOfRefusesNamesThatLeaveTheFolder(t *testing.T) {
	for _, name := range []string{"", "..", "a/b", "A", "-a", strings.Repeat("a", 64)} {
		if _, err := Of("/nowhere", name); err == nil {
			t.Errorf("Of(%q) gave no error", name)
		}
	}
}

func TestLockOfAFolderThatCannotBeMade(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := Of(file, "ipv6")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Lock(time.Now()); err == nil || !strings.Contains(err.Error(), "nothing was changed") {
		t.Errorf("got %v", err)
	}
}
