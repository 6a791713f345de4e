package e2e

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestSweep is the whole product, for make sweep: at each boundary of a run, of a
// rebuild and of a destroy one of its own is killed, and others at random moments. Each
// is continued by the same command, and what it leaves is looked at before the next
// one begins with it.
func TestSweep(t *testing.T) {
	if *sweep == 0 && *boundaries == "" {
		t.Skip("takes hours: make sweep")
	}
	var u *undisturbed
	if !t.Run("undisturbed", func(t *testing.T) { u = undisturbedLife(t) }) {
		return
	}
	var lives []life
	if *boundaries != "" {
		want := regexp.MustCompile(*boundaries)
		lives = livesOf(atEach(t, want, "run", u.run), atEach(t, want, "rebuild", u.rebuild), atEach(t, want, "destroy", u.destroy))
	}
	t.Logf("%d lives for the boundaries; passed were %d of a run, %d of a rebuild, %d of a destroy", len(lives), len(u.run), len(u.rebuild), len(u.destroy))
	lives = append(lives, livesOf(atMoments(*sweep, 4*time.Second), atMoments(*sweep/4, 20*time.Second), atMoments(*sweep/4, 4*time.Second))...)
	var next, kills atomic.Int64
	for range flag.Lookup("test.parallel").Value.(flag.Getter).Get().(int) {
		t.Run("labs", func(t *testing.T) {
			t.Parallel()
			for more := true; more; {
				more = false
				t.Run("lab", func(t *testing.T) { more = u.begin(t).lead(lives, &next, &kills) })
			}
		})
	}
	t.Cleanup(func() {
		t.Logf("%d kills in %d of %d lives", kills.Load(), min(int(next.Load()), len(lives)), len(lives))
	})
}

// A blow kills a command once or more often; kill counts the kills.
type blow struct {
	name string
	kill func(t *testing.T, l *lab, c *cut) int
}

// life is what befalls a lab from its first object to its last: the blows to its run and
// its destroy, nil for none, and between them those to its rebuilds, one each. A lab is
// rebuilt only where that is struck.
type life struct {
	run, destroy *blow
	rebuilds     []blow
}

// mostRebuilds is how many rebuilds a life has where runs and destroys want fewer lives.
const mostRebuilds = 6

// livesOf are lives that have all of the blows among them.
func livesOf(run, rebuild, destroy []blow) []life {
	lives := make([]life, max(len(run), len(destroy), (len(rebuild)+mostRebuilds-1)/mostRebuilds))
	for n := range run {
		lives[n].run = &run[n]
	}
	for n := range rebuild {
		l := &lives[n%len(lives)]
		l.rebuilds = append(l.rebuilds, rebuild[n])
	}
	for n := range destroy {
		lives[n].destroy = &destroy[n]
	}
	return lives
}

// atEach are the blows at each wanted boundary of a command, when it is first reached.
func atEach(t *testing.T, wanted *regexp.Regexp, command string, passed []string) []blow {
	var blows []blow
	seen, done := map[string]bool{}, alreadyStruck(t)
	for _, boundary := range passed {
		if seen[boundary] || done[struckName(command, boundary)] || !wanted.MatchString(command+" "+boundary) {
			continue
		}
		seen[boundary] = true
		blows = append(blows, blow{boundary, func(t *testing.T, l *lab, c *cut) int {
			c.afresh(func(name string) bool { return name == boundary }, c.doing...)
			if o, at := c.once(t, l); at != boundary {
				t.Fatalf("killed at %q, exit %d\n%s", at, o.exit, o.err)
			}
			return 1
		}})
	}
	return blows
}

// atMoments are blows at so many random moments of a command that lasts about so long,
// ten of them to one command.
func atMoments(moments int, lasts time.Duration) []blow {
	var blows []blow
	for some := range slices.Chunk(make([]struct{}, moments), 10) {
		blows = append(blows, blow{fmt.Sprintf("%d random moments", len(some)), func(t *testing.T, l *lab, c *cut) int {
			kills, made := 0, map[string]string{}
			for range some {
				moment := time.Duration(rand.Int64N(int64(lasts)))
				timer := time.AfterFunc(moment, c.now)
				_, at := c.once(t, l)
				timer.Stop()
				if at != "" {
					kills++
				}
				if c.doing[0] == "run" {
					l.wantSecretsKept(t, made, moment.String())
				}
			}
			return kills
		}})
	}
	return blows
}

// struckName is a boundary in the file of those that are struck: as go test names it.
func struckName(command, boundary string) string {
	return strings.ReplaceAll(command+" killed "+boundary, " ", "_")
}

// alreadyStruck are the boundaries of the file: a sweep takes hours, and one that was
// ended goes on where it was.
func alreadyStruck(t *testing.T) map[string]bool {
	t.Helper()
	done := map[string]bool{}
	if *struck == "" {
		return done
	}
	text, err := os.ReadFile(*struck)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for _, name := range strings.Fields(string(text)) {
		done[name] = true
	}
	return done
}

// noteStruck adds a boundary whose command came to a good end.
func noteStruck(t *testing.T, command, boundary string) {
	t.Helper()
	if *struck == "" {
		return
	}
	f, err := os.OpenFile(*struck, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(struckName(command, boundary) + "\n"); err != nil {
		t.Fatal(err)
	}
}
