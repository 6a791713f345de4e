package bootiso

import (
	"bytes"
	"io/fs"
	"os"

	"github.com/diskfs/go-diskfs/backend"
)

// memory is a disk in memory, as far as the library writes one.
type memory struct {
	*bytes.Reader // nil: nothing is read back
	content       []byte
}

// WriteAt grows the disk as needed.
func (m *memory) WriteAt(p []byte, at int64) (int, error) {
	if end := at + int64(len(p)); end > int64(len(m.content)) {
		m.content = append(m.content, make([]byte, end-int64(len(m.content)))...)
	}
	return copy(m.content[at:], p), nil
}

// Writable gives the disk itself.
func (m *memory) Writable() (backend.WritableFile, error) { return m, nil }

// Stat, Close and Sys are part of the library's interface; no operating system knows this disk.
func (m *memory) Stat() (fs.FileInfo, error) { return nil, fs.ErrInvalid }
func (m *memory) Close() error               { return nil }
func (m *memory) Sys() (*os.File, error)     { return nil, backend.ErrNotSuitable }

// padded is the content in whole sectors, at least so many bytes.
func (m *memory) padded(least int) []byte {
	size := max(least, (len(m.content)+sector-1)/sector*sector)
	return append(m.content, make([]byte, size-len(m.content))...)
}
