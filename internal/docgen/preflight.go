package main

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/labrun/labrun/internal/faults"
	"github.com/labrun/labrun/internal/preflight"
)

const preflightHeader = `<!-- Generated from the lists of checks (packages redfish and steps/site) and of faults (internal/faults) by make generate. Do not edit it: change the entries there. -->

# The pre-flight

` + "`labrun preflight LAB`" + ` asks, side by side, whether everything that a lab stands on can do what the lab needs of it, and says of
what cannot exactly what is wrong and what to do. It changes nothing, unless ` + "`--active`" + ` asks for it by name.

Here it asks about a simulated lab that is up and not yet built:

` + "```console" + `
$ labsim up labs/ipv6-disconnected.yaml --kubeconfig hub.kubeconfig --values values.yaml --detach
…
$ labrun preflight labs/ipv6-disconnected.yaml --kubeconfig hub.kubeconfig --values values.yaml
✓ worker0   Sushy Emulator 1.00  …
✓ worker1   Sushy Emulator 1.00  …
✓ dns                            1 unknown, 4 pass …
✓ registry                       4 pass …
✓ images                         2 pass …
✓ cluster                        6 pass …

2 of 2 workers can be used · nothing is wrong · … requests · 0.9s
$ labrun preflight labs/ipv6-disconnected.yaml --kubeconfig hub.kubeconfig --values values.yaml --check registry --verbose
✓ registry  4 pass …
    pass      registry: https://registry.hypershiftbm.lab:22020/v2/ answers, its certificate is good
    pass      registry-login: registry.hypershiftbm.lab:22020 accepts the pull secret
    pass      release-image: registry.hypershiftbm.lab:22020/openshift/release-images@sha256:f4616892116e08700fb039a0874f3f6b90f95b950823aa432112d6549389026d is there
    pass      control-plane-image: registry.hypershiftbm.lab:22020/openshift/release@sha256:e53de9d70fde0a21a6a3becc6be27d7b76943815fd867cbf42a7a39b611a3294 is there

nothing is wrong · 0.1s
$ labsim down ipv6-disconnected
` + "```" + `

And here about a lab in which the BMC of worker1 refuses the password:

` + "```text" + `
%s` + "```" + `

The worst workers and areas come first, each with the findings that somebody has to act on; all failures are told once more at
the end. ` + "`--verbose`" + ` tells every check. ` + "`-o json`" + ` and ` + "`-o junit`" + ` hold all of them, the workers in the lab file's order.

## What a result means

| | |
|---|---|
| pass | it is as the lab needs it |
| warn | it can go on, and somebody should look |
| fail | the lab cannot be built so; exit code 3 |
| unknown | it cannot be told: the BMC does not say, or the management cluster is still to be built. Where something can be done about it, that is told |
| skip | it was not asked: a check that it needs did not pass (which one is told), it does not concern this lab, or it is turned off (the reason is told) |

Exit code 0 says that no check failed, 3 that one did, 2 that the command line or the lab file is wrong, 130 and 143 that it was interrupted.

## What is asked

` + "`--check`" + ` takes areas (bmc, dns, registry, images, cluster) and single checks, ` + "`--host NAME`" + ` asks about one worker and, unless
` + "`--check`" + ` names an area, about nothing else. Both may be repeated. Where a word is both, ` + "`dns`" + `, it is the area, and ` + "`bmc/dns`" + ` the check. The checks that a chosen one depends
on are asked too, and told where they are the reason. ` + "`labrun preflight --explain ID`" + ` tells on a terminal what stands below.

All BMCs are asked at once, with one request in flight and one login for each service; a BMC that hangs delays nobody else. A request
has 10 seconds, a host 60, and a check of the other areas 15. A wrong password is tried once: BMCs lock accounts. No credential is sent to another host than that of the address.

The lab's names are asked of the lab's own name server (` + "`lab.dns.server`" + `), past this machine's hosts file, since the workers have none. A
connected lab skips what concerns disconnected ones. Before there is a management cluster, while there is no kubeconfig or nothing
answers, the checks of area cluster are unknown or skipped, and the rest is asked all the same.

## The active probe

` + "`--active`" + ` tries what Metal3 will do: it serves a small bootable ISO at an address that cannot be guessed, lets each BMC insert it and
sees it fetched, reads the drive back, sets a boot override, once, restores what was there, and ejects. No host is reset. Media that
was in the drive before is left alone, and so is a worker that has its BareMetalHost. It cleans up also after Ctrl-C, and clears
what a killed one left. ` + "`--image-server HOST[:PORT]`" + ` says at which of this machine's addresses the BMCs fetch it, where the route to
them does not tell. Its checks are [insert](#insert), [inserted](#inserted), [boot-once](#boot-once) and [eject](#eject).

## In a run

A run asks the BMCs twice by the step [redfish/preflight](steps.md#redfishpreflight): first of all, before hours of mirroring, where what
needs the discovery image is unknown; and again before the first BareMetalHost, with that image's URL. Exit code 3 of a run says that
too few workers can be used. A run only reads, unless the lab file says ` + "`preflight: {active: true}`" + `: then the second time is an active
probe, too. The fact ` + "`lab.preflight.image_server`" + ` is what ` + "`--image-server`" + ` is on the command line.

A worker that has its BareMetalHost of this lab already is only read, and being powered on with this lab's image in its drive is
right there: the pre-flight of a finished lab has nothing to say.

## Turning a check off

The fact ` + "`lab.preflight.checks`" + ` names checks by their ids, each with a ` + "`severity`" + ` (` + "`ignore`" + `: it is not asked; ` + "`warn`" + ` or ` + "`fail`" + `: what a finding
of it counts as) and the ` + "`reason`" + `, which the report repeats. The lab of these facts asks nothing about api-int:

` + "```yaml" + `
preflight:
  checks:
    name-api-int: {severity: ignore, reason: nothing of ours asks for it}
    live-iso: {severity: warn, reason: the web server is filled by the run}
` + "```" + `
`

// preflightPage describes the checks by area, and sets beside each fault what Metal3 and labrun say of it.
func preflightPage(checks []preflight.Check, all []faults.Fault, told map[string]faults.Told) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, preflightHeader, told["wrong-password"].Table)
	titles := map[string]string{
		"bmc": "The workers' BMCs (bmc)", "dns": "The lab's names (dns)", "registry": "The lab's registry (registry)",
		"images": "What the workers boot (images)", "cluster": "The management cluster (cluster)",
	}
	for _, area := range preflight.Areas() {
		fmt.Fprintf(&b, "\n## %s\n", titles[area])
		for _, c := range checks {
			if c.Area == area {
				checkSection(&b, c)
			}
		}
	}
	beside(&b, all, told)
	return b.Bytes()
}

func checkSection(b *bytes.Buffer, c preflight.Check) {
	fmt.Fprintf(b, "\n### %s\n\nAsks %s. It %s.", c.ID, cell(c.Asks), cell(c.Rule))
	if c.Why != "" {
		fmt.Fprintf(b, " %s", cell(preflight.Sentence(c.Why)))
	}
	if c.Active {
		b.WriteString(" It is asked only with `--active`, and in a run where `lab.preflight.active` is true.")
	}
	fmt.Fprintf(b, "\n\nWhat to do: %s.\n", cell(strings.TrimSuffix(c.Remedy, ".")))
}

const besideHeader = `
## Beside Metal3

What Metal3 says of a fault, and after what time, as seen with baremetal-operator v0.6.0 and v0.13.1 and Ironic 32.0.1 and 39.0.0; and
what labrun says of the same fault, set up on loopback, and how long the whole command took. The BMC of one of two workers has the
fault. Metal3 says nothing before a run has come to the BareMetalHosts, which in a disconnected lab is hours after its start.

| fault | Metal3 says so after | labrun |
|---|---|---|
`

func beside(b *bytes.Buffer, all []faults.Fault, told map[string]faults.Told) {
	b.WriteString(besideHeader)
	for _, f := range all {
		fmt.Fprintf(b, "| [%s](#%s) | %s | %s |\n", f.Title, anchorOf(f.Title), f.After, span(told[f.ID].MS))
	}
	for _, f := range all {
		fmt.Fprintf(b, "\n### %s\n\nMetal3", sentenceCase(f.Title))
		if f.Words == "" {
			b.WriteString(": nothing. The host stays `registering`, its operationalStatus OK.\n")
		} else {
			fmt.Fprintf(b, ", %s:\n\n```text\n%s\n```\n", when(f.After), f.Words)
		}
		fmt.Fprintf(b, "\nlabrun, after %s, exit code %d:\n\n```text\n%s\n```\n", span(told[f.ID].MS), told[f.ID].Exit, told[f.ID].Words)
	}
}

// span writes a measured time.
func span(ms int64) string {
	if ms < 1000 {
		return fmt.Sprintf("%d ms", ms)
	}
	return fmt.Sprintf("%.1f s", (time.Duration(ms) * time.Millisecond).Seconds())
}

func sentenceCase(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// anchorOf is the name under which a heading of words is linked to.
func anchorOf(heading string) string {
	return strings.ReplaceAll(strings.ReplaceAll(strings.ToLower(heading), ",", ""), " ", "-")
}

// when says how long Metal3 takes, or what it waits for.
func when(after string) string {
	if strings.HasPrefix(after, "as soon as ") {
		return after
	}
	return "after " + strings.ReplaceAll(after, "*", "")
}
