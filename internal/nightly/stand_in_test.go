package nightly

import (
	"bytes"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// standIn is a labrun that does nothing. It writes its arguments as a line of the
// file calls, and of the folder says tells what NAME.out and NAME.err hold for the
// command NAME. NAME.code has its exit codes, one a call, the last one for all
// further calls. Where there is a NAME.ready, a named pipe, it waits for signals.
func standIn() {
	name := os.Args[1]
	before := calls(name)
	if err := add("calls", strings.Join(os.Args[1:], " ")); err != nil {
		fail(err)
	}
	for ending, stream := range map[string]*os.File{"out": os.Stdout, "err": os.Stderr} {
		if text, err := os.ReadFile(filepath.Join("says", name+"."+ending)); err == nil {
			if _, err := stream.Write(text); err != nil {
				fail(err)
			}
		}
	}
	if ready := filepath.Join("says", name+".ready"); exists(ready) {
		if err := attend(ready); err != nil {
			fail(err)
		}
	}
	text, err := os.ReadFile(filepath.Join("says", name+".code"))
	if err != nil {
		os.Exit(0)
	}
	codes := strings.Fields(string(text))
	code, err := strconv.Atoi(codes[min(before, len(codes)-1)])
	if err != nil {
		fail(err)
	}
	os.Exit(code)
}

// attend tells that it is ready to get signals, and records two of them, in the order
// in which they came. What came with the first one, and by no way of the script's,
// is there when that is read. It ends with the script.
func attend(ready string) error {
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return err
	}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	pipe, err := os.OpenFile(ready, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer pipe.Close()
	if _, err := fmt.Fprintln(pipe, "ready"); err != nil {
		return err
	}
	for range 2 {
		if _, err := fmt.Fprintln(pipe, <-signals); err != nil {
			return err
		}
	}
	return nil
}

// calls counts the earlier calls of a command.
func calls(name string) int {
	text, err := os.ReadFile("calls")
	if err != nil {
		return 0
	}
	n := 0
	for line := range bytes.Lines(text) {
		if first, _, _ := strings.Cut(string(line), " "); first == name {
			n++
		}
	}
	return n
}

func add(file, line string) error {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(f, line); err != nil {
		return err
	}
	return f.Close()
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "stand-in:", err)
	os.Exit(99)
}
