package traps

import (
	"net/netip"
	"regexp"
	"strings"

	"github.com/labrun/labrun/internal/sim/controlplane"
	"github.com/labrun/labrun/internal/sim/controlplane/cptest"
	"github.com/labrun/labrun/redfish/bmctest"
)

// server gives what the values say of one of this lab's workers, and its password.
func (l *try) server(name string) (address, mac, password string) {
	for i, m := range l.site.lab.Machines() {
		if m.Name == name {
			values, _ := l.site.servers[i].(map[string]any)
			bmc, _ := values["bmc"].(map[string]any)
			address, _ = bmc["address"].(string)
			return address, m.MAC, m.Password
		}
	}
	l.Errorf("the rack has no server %s", name)
	return "", "", ""
}

// floppyBMC starts a BMC whose one virtual drive takes floppies.
func floppyBMC(l *try) {
	tree := bmctest.Small().Set(bmctest.Slot, []any{"Floppy", "USBStick"}, "MediaTypes")
	bmc, err := bmctest.New(bmctest.Config{Tree: tree, Listen: "[::1]:0"})
	if err != nil {
		l.Error(err)
		return
	}
	l.Cleanup(bmc.Close)
	l.bmc = bmc.Address(bmctest.System)
}

// otherSystem names a system that the worker's BMC does not have.
func otherSystem(l *try) {
	address, _, _ := l.server(l.servers[0])
	l.bmc = address[:strings.LastIndex(address, "/")+1] + "00000000-0000-4000-8000-000000000000"
}

// otherHost makes somebody's BareMetalHost with the worker's boot MAC, and waits until it is registered.
func otherHost(l *try) {
	address, mac, _ := l.server(l.servers[0])
	makes(`{apiVersion: metal3.io/v1alpha1, kind: BareMetalHost, metadata: {namespace: "other-{hosted}", name: other},
spec: {online: false, bootMACAddress: "` + mac + `", bmc: {address: "` + address + `", credentialsName: other-bmc, disableCertificateVerification: true}}}`)(l)
	l.until(`{apiVersion: metal3.io/v1alpha1, kind: BareMetalHost, metadata: {namespace: "other-{hosted}", name: other}}`, "status", "provisioning", "ID")
}

// otherKubeconfig points the kubeconfig at another API server.
func otherKubeconfig(server string) func(*try) {
	return func(l *try) {
		write(l, l.kubecfg, regexp.MustCompile(`server: \S+`).ReplaceAllString(string(l.site.lab.Kubeconfig()), `server: "`+server+`"`))
	}
}

// plainKubernetes makes the kubeconfig that of a cluster without any of OpenShift's kinds.
func plainKubernetes(l *try) {
	write(l, l.kubecfg, string(cptest.ForTest(l, controlplane.Options{}).Kubeconfig()))
}

// appsElsewhere makes the name server send *.apps to an address that no worker has.
func appsElsewhere(l *try) {
	l.site.lab.Names().Set("*.apps."+l.hosted+".traps.lab", netip.MustParseAddr("2620:52:0:1305::99"))
}
