package event

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
)

// Mend cuts a torn last line off the journal at path, and says how many bytes it
// had. A journal that is whole, or that cannot be read for another reason, is left
// as it is.
func Mend(path string) (cut int64, err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return 0, fmt.Errorf("look at the journal: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	whole, torn := 0, false
	for _, err := range Read(f) {
		whole++
		if err != nil {
			whole--
			torn = errors.Is(err, ErrTorn)
		}
	}
	if !torn {
		return 0, nil
	}
	info, err := f.Stat()
	if err != nil {
		return 0, fmt.Errorf("look at the journal: %w", err)
	}
	keep, err := endOfLine(f, whole)
	if err == nil {
		err = f.Truncate(keep)
	}
	if err != nil {
		return 0, fmt.Errorf("cut the torn line off the journal: %w", err)
	}
	return info.Size() - keep, nil
}

// endOfLine is the offset behind the n-th line.
func endOfLine(f io.ReadSeeker, n int) (int64, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	lines, end := bufio.NewReader(f), int64(0)
	for range n {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return 0, err
		}
		end += int64(len(line))
	}
	return end, nil
}
