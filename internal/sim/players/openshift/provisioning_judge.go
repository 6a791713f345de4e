package openshift

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"github.com/labrun/labrun/internal/sim/players/admit"
	"github.com/labrun/labrun/internal/sim/players/obj"
)

type provisioningSpec struct {
	ProvisioningNetwork       string `json:"provisioningNetwork"`
	ProvisioningIP            string `json:"provisioningIP"`
	ProvisioningNetworkCIDR   string `json:"provisioningNetworkCIDR"`
	ProvisioningDHCPRange     string `json:"provisioningDHCPRange"`
	ProvisioningOSDownloadURL string `json:"provisioningOSDownloadURL"`
	WatchAllNamespaces        bool   `json:"watchAllNamespaces"`
	BootIsoSource             string `json:"bootIsoSource"`
	DisableVirtualMediaTLS    bool   `json:"disableVirtualMediaTLS"`
}

// admitProvisioning is the operator's validating webhook.
func admitProvisioning(_ context.Context, r admit.Request) error {
	if r.Old == nil && r.Object.GetName() != provisioningName {
		return fmt.Errorf("Provisioning object is a singleton and must be named \"%s\"", provisioningName)
	}
	spec, err := obj.Decode[provisioningSpec](r.Object, "spec")
	if err != nil {
		return err
	}
	return judgeProvisioning(spec)
}

// judgeProvisioning refuses what the operator refuses of a Provisioning, all faults at once.
func judgeProvisioning(s provisioningSpec) error {
	network := s.ProvisioningNetwork
	if network == "" {
		network = "Managed"
	}
	var faults []error
	if err := judgeOSImage(s.ProvisioningOSDownloadURL); err != nil {
		faults = append(faults, err)
	}
	if network == "Disabled" && s.ProvisioningNetworkCIDR == "" && s.ProvisioningIP == "" {
		return together(faults)
	}
	ip, ipErr := netip.ParseAddr(s.ProvisioningIP)
	if ipErr != nil {
		faults = append(faults, fmt.Errorf("could not parse provisioningIP %q", s.ProvisioningIP))
	}
	cidr, err := netip.ParsePrefix(s.ProvisioningNetworkCIDR)
	switch {
	case err != nil:
		faults = append(faults, fmt.Errorf("could not parse provisioningNetworkCIDR %q", s.ProvisioningNetworkCIDR))
	case network == "Managed" && cidr.Addr().Is6() && cidr.Bits() < 64:
		faults = append(faults, errors.New("provisioningNetworkCIDR mask must be greater than or equal to 64 for managed IPv6 networks"))
	case ipErr == nil && !cidr.Contains(ip):
		faults = append(faults, fmt.Errorf("provisioningIP %q is not in the range defined by the provisioningNetworkCIDR %q", s.ProvisioningIP, s.ProvisioningNetworkCIDR))
	}
	if network == "Managed" && s.ProvisioningDHCPRange == "" {
		faults = append(faults, errors.New("provisioningDHCPRange is required in Managed mode but is not set"))
	}
	return together(faults)
}

func judgeOSImage(text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "":
		return fmt.Errorf("the provisioningOSDownloadURL provided: %q is invalid", text)
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("unsupported scheme %q in provisioningOSDownloadURL %s", u.Scheme, text)
	case u.Query().Get("sha256") == "":
		return fmt.Errorf("the sha256 parameter in the provisioningOSDownloadURL %q is missing", text)
	}
	return nil
}

// together is one error of several, written as Kubernetes' aggregates are.
func together(faults []error) error {
	switch len(faults) {
	case 0:
		return nil
	case 1:
		return faults[0]
	}
	var texts []string
	for _, f := range faults {
		texts = append(texts, f.Error())
	}
	return errors.New("[" + strings.Join(texts, ", ") + "]")
}
