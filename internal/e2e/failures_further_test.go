package e2e

import "github.com/labrun/labrun/steps/trouble"

// furtherFailures are those whose whole message is held by its golden file alone,
// by the hub that they happen on: one whose cause is the workers' own joins the hub
// of another one.
func furtherFailures() [][]failure {
	return [][]failure{
		{{name: "catalog-unreachable", code: trouble.CatalogUnreachable, override: "mce_operator: {with: {grace: 2s}}", step: "mce_operator"}},
		{{name: "mce-component-refused", code: trouble.ObjectRefused, step: "mce"}},
		{{name: "invalid-configuration", code: trouble.InvalidConfiguration, override: "hosted_cluster: {with: {grace: 2s}}", step: "hosted_cluster"}},
		{{name: "infraenv-image", code: trouble.InfraEnvImage, override: "infraenv: {with: {grace: 2s}}", step: "infraenv"}},
		{{name: "bmh-power", code: trouble.HostPower, override: "host: {with: {attempts: 2, grace: 2s}}", step: "host"},
			{name: "bmh-media-lost", code: trouble.AgentAbsent, override: "agent: {timeout: 20s}", step: "agent"}},
		{{name: "root-device-hints", code: trouble.RootDeviceHints, override: "agent: {with: {grace: 2s}}", step: "agent"},
			{name: "router-unreachable", code: trouble.AppsElsewhere, override: "apps: {timeout: 20s}", step: "apps"}},
		{{name: "no-suitable-agent", code: trouble.NoSuitableAgent, override: "installed: {timeout: 20s}", step: "installed"}},
		{{name: "install-pending-user-action", code: trouble.UserAction, override: "installed: {with: {grace: 2s}}", step: "installed"}},
		{{name: "clusteroperator-degraded", code: trouble.OperatorDegraded, override: "completed: {timeout: 20s}", step: "completed"}},
	}
}
