package proc

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// ErrNoAssets is in every error about a program or a folder that `make bin` would make.
var ErrNoAssets = errors.New("run `make bin` to make it")

// Assets says where the programs of the simulated lab stand.
type Assets struct {
	Dir         string // the folder that `make bin` fills
	Kubebuilder string // $KUBEBUILDER_ASSETS: where set, kube-apiserver and etcd come from there
}

// FindAssets takes dir if given, else the folder bin beside the go.mod of labrun at or above the working directory.
func FindAssets(dir string) (Assets, error) {
	a := Assets{Dir: dir, Kubebuilder: os.Getenv("KUBEBUILDER_ASSETS")}
	if dir != "" {
		var err error
		a.Dir, err = filepath.Abs(dir)
		return a, err
	}
	at, err := os.Getwd()
	if err != nil {
		return a, err
	}
	for ; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "internal", "tools", "go.mod")); err == nil {
			a.Dir = filepath.Join(at, "bin")
			return a, nil
		}
		if at == filepath.Dir(at) {
			return a, fmt.Errorf("no folder with the programs of the simulated lab was named, and the working directory is in no checkout of labrun: %w", ErrNoAssets)
		}
	}
}

// Path is the place of a program or folder, which is known to exist.
func (a Assets) Path(name ...string) (string, error) {
	dir := a.Dir
	if a.Kubebuilder != "" && len(name) == 1 && (name[0] == "kube-apiserver" || name[0] == "etcd") {
		dir = a.Kubebuilder
	}
	path := filepath.Join(append([]string{dir}, name...)...)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("the simulated lab needs %s, which is not there: %w", path, ErrNoAssets)
	}
	return path, nil
}
