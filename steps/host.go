package steps

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline/event"
	"github.com/labrun/labrun/steps/crd"
	"github.com/labrun/labrun/steps/kube"
	"github.com/labrun/labrun/steps/trouble"
)

// infraEnvLabel tells assisted-service which InfraEnv's image a host boots.
const infraEnvLabel = "infraenvs.agent-install.openshift.io"

// Host hands one worker to Metal3 and waits until it was powered on from the
// discovery image. Both flows end in state provisioned; labrun writes neither
// image nor custom deploy: assisted-service does.
type Host struct {
	kube.Patched
	Worker   labs.Worker   `yaml:"worker" doc:"the worker"`
	Attempts int           `yaml:"attempts" default:"2" doc:"errors in a row (errorCount) after which Metal3 is not waited for any longer"`
	Grace    labs.Duration `yaml:"grace" default:"3m" doc:"how long Metal3 has to try anew where its error is older than this run: it may be mended"`
}

// HostOutputs is the host as Metal3 has it.
type HostOutputs struct {
	Name string `yaml:"name" doc:"name of the BareMetalHost"`
	ID   string `yaml:"id" doc:"Ironic's id of the node"`
}

func hostRef(f *labs.Facts, worker string) kube.Ref {
	return kube.Ref{APIVersion: crd.Metal3Version, Kind: "BareMetalHost", Namespace: f.ControlPlaneNamespace(), Name: worker}
}

func bmcSecretName(worker string) string { return worker + "-bmc" }

// Secrets are the BMC's password.
func (s Host) Secrets(*labs.Facts) []labs.SecretRef {
	return []labs.SecretRef{s.Worker.BMC.Credentials.Password}
}

// Reads the host: it may be another server's.
func (s Host) Reads(f *labs.Facts) []kube.Ref {
	ref := hostRef(f, s.Worker.Name)
	ref.Optional = true
	return []kube.Ref{ref}
}

// Objects are the Secret with the BMC's user and the BareMetalHost.
func (s Host) Objects(f *labs.Facts, seen kube.Seen) ([]kube.Intent, error) {
	if err := s.same(f, seen); err != nil {
		return nil, err
	}
	w := s.Worker
	secret := &corev1.Secret{
		TypeMeta: typeMeta("v1", "Secret"), ObjectMeta: meta(f.ControlPlaneNamespace(), bmcSecretName(w.Name)),
		Data: map[string][]byte{
			"username": []byte(w.BMC.Credentials.Username),
			"password": []byte(strings.TrimRight(seen.Secret(w.BMC.Credentials.Password).Reveal(), "\r\n")),
		},
	}
	host := &crd.BareMetalHost{
		TypeMeta: typeMeta(crd.Metal3Version, "BareMetalHost"), ObjectMeta: meta(f.ControlPlaneNamespace(), w.Name),
		Spec: crd.BareMetalHostSpec{
			Online:                true,
			BMC:                   crd.BMCDetails{Address: w.BMC.Address, CredentialsName: bmcSecretName(w.Name), DisableCertificateVerification: w.BMC.DisableCertificateVerification},
			BootMACAddress:        string(w.BootMAC),
			BootMode:              w.BootMode,
			AutomatedCleaningMode: "disabled",
			RootDeviceHints:       rootDeviceHints(w.RootDeviceHints),
		},
	}
	host.Labels = map[string]string{infraEnvLabel: f.Hosted.Name}
	host.Annotations = map[string]string{
		"inspect.metal3.io":                        "disabled",
		"bmac.agent-install.openshift.io/hostname": w.Name,
		"bmac.agent-install.openshift.io/role":     "worker",
	}
	return []kube.Intent{{Object: secret, Secret: true}, {Object: host, Primary: true}}, nil
}

func rootDeviceHints(h labs.RootDeviceHints) *crd.RootDeviceHints {
	if h == (labs.RootDeviceHints{}) {
		return nil
	}
	return new(crd.RootDeviceHints(h))
}

// Judge follows Metal3's states. An error is shown at once, and terminal after
// the step's number of attempts; while Metal3 tries again it shows no error, and
// the count alone tells.
func (s Host) Judge(f *labs.Facts, seen kube.Seen) kube.Verdict {
	ref := hostRef(f, s.Worker.Name)
	host := kube.As[crd.BareMetalHost](seen, ref)
	if host == nil {
		return wait(ref, "it does not exist yet")
	}
	status := host.Status
	spent := status.ErrorMessage != "" && attempts(status) >= s.Attempts
	if spent && !s.mayBeMended(status, seen) {
		return s.failed(ref, host)
	}
	if status.Provisioning.State == "provisioned" && status.OperationalStatus != "error" {
		return done("provisioned, powered %s", onOff(status.PoweredOn))
	}
	v := wait(ref, s.seen(host))
	if status.ErrorMessage != "" {
		v = known(v, hostTrouble(status.ErrorType))
		v.Report.Title = fmt.Sprintf("%s: %s, %s attempt", what(ref), status.ErrorType, ordinal(attempts(status)))
		v.Report.Lines = append([]event.Line{{Label: "it said", Text: status.ErrorMessage}}, v.Report.Lines...)
	}
	if spent {
		v.Recheck = seen.Began.Add(s.Grace.Duration)
		v.Report.Lines = append(v.Report.Lines, event.Line{Label: "since", Text: "before this run: Metal3 has until " + v.Recheck.UTC().Format(time.TimeOnly) + " to try anew"})
	}
	if status.Provisioning.State == "" && status.OperationalStatus == "" {
		v = known(v, trouble.HostUnseen)
	}
	if why := unasked(host); why != "" {
		v = known(v, trouble.HostWithoutImage)
		v.Report.Lines = append(v.Report.Lines, event.Line{Label: "image", Text: why})
	}
	return v
}

// mayBeMended says whether an error stood before this run of the step, and Metal3
// has not had the time yet to see what was changed since. Its times are whole
// seconds.
func (s Host) mayBeMended(status crd.BareMetalHostStatus, seen kube.Seen) bool {
	fresh := status.LastUpdated != nil && !status.LastUpdated.Time.Before(seen.Began.Truncate(time.Second))
	return !fresh && seen.Now.Sub(seen.Began) < s.Grace.Duration
}

// unasked says why Metal3 has nothing to provision a host with that is ready for
// it: assisted-service gives the image, and says nothing where it does not.
func unasked(host *crd.BareMetalHost) string {
	if state := host.Status.Provisioning.State; state != "available" && state != "ready" || host.Spec.Image != nil || host.Spec.CustomDeploy != nil {
		return ""
	}
	if host.Labels[infraEnvLabel] == "" {
		return "none: without the label " + infraEnvLabel + " assisted-service does not give it one"
	}
	return "none yet: assisted-service gives it the discovery image of InfraEnv " + host.Labels[infraEnvLabel]
}

// attempts counts the tries that failed. Metal3 counts a provisioning error from
// one again after each deprovisioning; that there was one is in the history.
func attempts(status crd.BareMetalHostStatus) int {
	n := max(status.ErrorCount, 1)
	if status.ErrorType == "provisioning error" && status.History.Deprovision.Start != nil {
		n++
	}
	return n
}

func (s Host) failed(ref kube.Ref, host *crd.BareMetalHost) kube.Verdict {
	v := fail(ref, hostTrouble(host.Status.ErrorType), fmt.Sprintf("has a %s, %s attempt", host.Status.ErrorType, ordinal(attempts(host.Status))), host.Status.ErrorMessage,
		"labrun preflight LAB --host "+s.Worker.Name+"; "+look(ref))
	v.Report.Lines = append(v.Report.Lines,
		event.Line{Label: "seen", Text: s.seen(host)},
		event.Line{Label: "BMC", Text: s.Worker.BMC.Address + " as " + s.Worker.BMC.Credentials.Username + " of Secret " + bmcSecretName(s.Worker.Name)})
	return v
}

// seen tells the state; an empty one says that Metal3 does not look at the host.
func (Host) seen(host *crd.BareMetalHost) string {
	state := host.Status.Provisioning.State
	if state == "" && host.Status.OperationalStatus == "" {
		return "no status: Metal3 has not taken it up (Provisioning.spec.watchAllNamespaces must be true; oc logs -n openshift-machine-api deployment/metal3-baremetal-operator)"
	}
	s := "state " + state + ", powered " + onOff(host.Status.PoweredOn)
	if n := host.Status.ErrorCount; n > 0 && host.Status.ErrorMessage == "" {
		s += ", Metal3 tries again after " + count(n, "error")
	}
	if at := host.Status.LastUpdated; at != nil {
		s += ", last change " + at.UTC().Format(time.TimeOnly)
	}
	return s
}

// Outputs name the host.
func (s Host) Outputs(f *labs.Facts, seen kube.Seen) HostOutputs {
	out := HostOutputs{Name: s.Worker.Name}
	if host := kube.As[crd.BareMetalHost](seen, hostRef(f, s.Worker.Name)); host != nil {
		out.ID = host.Status.Provisioning.ID
	}
	return out
}
