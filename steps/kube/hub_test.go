package kube

import "github.com/labrun/labrun/internal/sim/controlplane/cptest"

// Hub is the tests' one API server, for those that look at this package from outside.
func Hub() *cptest.Shared { return &hub }
