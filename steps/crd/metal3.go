package crd

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Metal3's API.
const Metal3Version = "metal3.io/v1alpha1"

// BareMetalHost is a server that Metal3 manages.
type BareMetalHost = Object[BareMetalHostSpec, BareMetalHostStatus]

// BareMetalHostSpec is what a BareMetalHost asks for.
type BareMetalHostSpec struct {
	Online                bool             `json:"online"`
	BMC                   BMCDetails       `json:"bmc,omitempty"`
	BootMACAddress        string           `json:"bootMACAddress,omitempty"`
	BootMode              string           `json:"bootMode,omitempty"`
	AutomatedCleaningMode string           `json:"automatedCleaningMode,omitempty"`
	RootDeviceHints       *RootDeviceHints `json:"rootDeviceHints,omitempty"`
	Image                 *Image           `json:"image,omitempty"`
	CustomDeploy          *CustomDeploy    `json:"customDeploy,omitempty"`
}

// BMCDetails name the controller and the Secret with its user and password.
type BMCDetails struct {
	Address                        string `json:"address"`
	CredentialsName                string `json:"credentialsName"`
	DisableCertificateVerification bool   `json:"disableCertificateVerification,omitempty"`
}

// RootDeviceHints choose the disk.
type RootDeviceHints struct {
	DeviceName       string `json:"deviceName,omitempty"`
	SerialNumber     string `json:"serialNumber,omitempty"`
	WWN              string `json:"wwn,omitempty"`
	Model            string `json:"model,omitempty"`
	Vendor           string `json:"vendor,omitempty"`
	HCTL             string `json:"hctl,omitempty"`
	MinSizeGigabytes int    `json:"minSizeGigabytes,omitempty"`
}

// Image is what a host is provisioned with.
type Image struct {
	URL        string  `json:"url"`
	DiskFormat *string `json:"format,omitempty"`
}

// CustomDeploy is a deploy method that somebody else brings, the converged flow's.
type CustomDeploy struct {
	Method string `json:"method"`
}

// BareMetalHostStatus is what Metal3 says of a host.
type BareMetalHostStatus struct {
	OperationalStatus string          `json:"operationalStatus,omitempty"`
	ErrorType         string          `json:"errorType,omitempty"`
	ErrorMessage      string          `json:"errorMessage,omitempty"`
	ErrorCount        int             `json:"errorCount,omitempty"`
	PoweredOn         bool            `json:"poweredOn,omitempty"`
	LastUpdated       *metav1.Time    `json:"lastUpdated,omitempty"`
	Provisioning      ProvisionStatus `json:"provisioning,omitempty"`
	History           History         `json:"operationHistory,omitempty"`
}

// History says when operations were last begun.
type History struct {
	Deprovision Operation `json:"deprovision,omitempty"`
}

// Operation is one of them.
type Operation struct {
	Start *metav1.Time `json:"start,omitempty"`
}

// ProvisionStatus is how far the provisioning is.
type ProvisionStatus struct {
	State string `json:"state,omitempty"`
	ID    string `json:"ID,omitempty"`
	Image Image  `json:"image,omitempty"`
}
