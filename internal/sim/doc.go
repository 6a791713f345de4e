// Package sim is the simulated lab: what a lab file describes, on one machine, for labrun to be run against.
//
//	lab, err := sim.Start(ctx, sim.Options{Facts: facts, Dir: dir})
//	defer lab.Stop(ctx)
//	os.WriteFile("kubeconfig", lab.Kubeconfig(), 0o600)
//	os.WriteFile("values.yaml", lab.Values(), 0o600)
//
// It is a real kube-apiserver with etcd and the two controllers that delete, with the operators' real
// CustomResourceDefinitions; a second API server for the hosted cluster, when that is built; sushy-tools BMCs, one
// system a worker; a name server, a registry, a web server; and small controllers, the players, that stand for the
// operators which one machine cannot run. Values overrides just what cannot be the lab file's own.
//
// All of it listens on loopback, on free ports; all that is written stands below Options.Dir. What was started dies
// with this process, of whatever cause.
package sim
