package source

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
)

// MaxSize is the largest file that is read, in bytes.
const MaxSize = 4 << 20

// Files keeps the texts of the files that were read, for the lines under
// diagnostics. The zero value holds none.
type Files struct {
	texts map[string]*text
}

// Add keeps the text of a file under the name that its positions carry.
func (f *Files) Add(name string, data []byte) {
	if f.texts == nil {
		f.texts = map[string]*text{}
	}
	if len(data) > MaxSize {
		data = data[:MaxSize]
	}
	f.texts[name] = newText(name, normalise(data))
}

// Line gives a line of a file, from 1; false where there is none.
func (f *Files) Line(name string, line int) (string, bool) {
	if f == nil || f.texts[name] == nil || line < 1 || line > len(f.texts[name].lines) {
		return "", false
	}
	return f.texts[name].lines[line-1], true
}

// Names gives the names of the files, sorted.
func (f *Files) Names() []string {
	names := make([]string, 0, len(f.texts))
	for name := range f.texts {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// Read reads a file within MaxSize and keeps its text. A FIFO is read to its end.
func (f *Files) Read(path string) ([]byte, Diagnostics) {
	data, err := readLimited(path)
	if err != nil {
		return nil, Diagnostics{{Pos: Position{File: path}, Message: err.Error()}}
	}
	f.Add(path, data)
	return data, nil
}

func readLimited(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, reading(err)
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.IsDir() {
		return nil, errors.New("is a folder; a file is needed")
	}
	data, err := io.ReadAll(io.LimitReader(file, MaxSize+1))
	if err != nil {
		return nil, reading(err)
	}
	if len(data) > MaxSize {
		return nil, fmt.Errorf("is larger than %d MB", MaxSize>>20)
	}
	return data, nil
}

// reading leaves the path out: the diagnostic's position names it.
func reading(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return fmt.Errorf("cannot be read: %w", err)
}
