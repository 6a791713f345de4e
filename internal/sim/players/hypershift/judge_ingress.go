package hypershift

import (
	"fmt"
	"net/netip"
	"strings"
)

// ingress is what is found where the hosted cluster's routes are looked for.
type ingress struct {
	Domain  string // apps.<name>.<baseDomain>
	Server  string // DNS server that was asked
	Answers []netip.Addr
	Err     error                 // of the look-up
	Routers map[netip.Addr]string // addresses at which a router listens, and the node or Service that has them
}

// canary and console are the hosts of the routes that the hosted operators ask.
func (i ingress) canary() string  { return "canary-openshift-ingress-canary." + i.Domain }
func (i ingress) console() string { return "console-openshift-console." + i.Domain }

// judgeIngress says why ingress and console are not Available, "" where they are: *.apps must reach the router.
func judgeIngress(i ingress) (ingressText, consoleText string) {
	if len(i.Routers) == 0 {
		return `The "default" ingress controller reports Available=False: IngressControllerUnavailable: One or more status conditions indicate unavailable: ` +
				`DeploymentAvailable=False (DeploymentUnavailable: The deployment has Available status condition set to False (reason: MinimumReplicasUnavailable) with message: Deployment does not have minimum availability.)`,
			"DeploymentAvailable: 0 replicas available for console deployment"
	}
	why := ""
	if i.Err != nil || len(i.Answers) == 0 {
		why = "dial tcp: lookup %s on " + i.Server + ": no such host"
	}
	for _, addr := range i.Answers {
		if _, ok := i.Routers[addr]; !ok {
			why = "dial tcp " + netip.AddrPortFrom(addr, 443).String() + ": connect: connection refused"
		}
	}
	if why == "" {
		return "", ""
	}
	say := func(host string) string {
		if strings.Contains(why, "%s") {
			return fmt.Sprintf(why, host)
		}
		return why
	}
	return fmt.Sprintf(`The "default" ingress controller reports Degraded=True: DegradedConditions: One or more other status conditions indicate a degraded state: `+
			`CanaryChecksSucceeding=False (CanaryChecksRepetitiveFailures: Canary route checks for the default ingress controller are failing. Last 1 error messages: `+
			`error sending canary HTTP Request: Get "https://%s": %s)`, i.canary(), say(i.canary())),
		fmt.Sprintf(`RouteHealthAvailable: failed to GET route (https://%s): Get "https://%s": %s`, i.console(), i.console(), say(i.console()))
}
