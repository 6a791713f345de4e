package canary

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Watch looks at the arguments of all that a process has started, and of what
// these have, again and again until ctx ends, and hands each process to seen when
// it has other arguments than before. It knows Linux only.
func Watch(ctx context.Context, pid int, seen func(pid int, args []byte)) error {
	told := map[int]string{}
	for {
		all, err := descendants(pid)
		if err != nil {
			return err
		}
		for _, child := range all {
			args, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", child))
			if err == nil && told[child] != string(args) { // it may have ended just now
				told[child] = string(args)
				seen(child, bytes.ReplaceAll(args, []byte{0}, []byte{' '}))
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Millisecond):
		}
	}
}

// descendants are the processes below one.
func descendants(pid int) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	children := map[int][]int{}
	for _, e := range entries {
		child, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil {
			continue // it has ended
		}
		// The name, which may hold anything, stands in parentheses; the state and the parent follow.
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(fields) > 1 {
			if parent, err := strconv.Atoi(fields[1]); err == nil {
				children[parent] = append(children[parent], child)
			}
		}
	}
	var all []int
	for next := children[pid]; len(next) > 0; next = next[1:] {
		all = append(all, next[0])
		next = append(next, children[next[0]]...)
	}
	return all, nil
}
