package steps

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Remember says what a program that is run once follows from: the content of its
// inputs, by the names that the lab file gives them.
func (s Exec) Remember(ctx context.Context, _ *Env) (inputs map[string]string, once bool, err error) {
	if !s.Once {
		if len(s.Inputs) > 0 {
			return nil, false, errors.New("inputs are given without once: a program that runs in every run has no use for them")
		}
		return nil, false, nil
	}
	inputs = make(map[string]string, len(s.Inputs))
	for _, path := range s.Inputs {
		if inputs[path], err = contentDigest(ctx, s.inDir(path)); err != nil {
			return nil, false, fmt.Errorf("reading the input %s: %w", path, err)
		}
	}
	return inputs, true, nil
}

// inDir is a path as the program finds it.
func (s Exec) inDir(path string) string {
	if s.Dir == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(s.Dir, path)
}

// contentDigest is the SHA-256 of a file, or of a folder's files with their names,
// as 64 hexadecimal digits.
func contentDigest(ctx context.Context, root string) (string, error) {
	sum := sha256.New()
	info, err := os.Stat(root)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		if err := addFile(sum, root); err != nil {
			return "", err
		}
		return hex.EncodeToString(sum.Sum(nil)), nil
	}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return errors.Join(err, ctx.Err())
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		one := sha256.New()
		if err := addFile(one, path); err != nil {
			return err
		}
		fmt.Fprintf(sum, "%q %x\n", filepath.ToSlash(name), one.Sum(nil))
		return nil
	})
	return hex.EncodeToString(sum.Sum(nil)), err
}

func addFile(sum hash.Hash, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(sum, f)
	return errors.Join(err, f.Close())
}
