package crd

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AgentInstallVersion is assisted-service's API.
const AgentInstallVersion = "agent-install.openshift.io/v1beta1"

// AgentServiceConfig configures assisted-service; the only one is called agent.
type AgentServiceConfig = Object[AgentServiceConfigSpec, Conditions]

// AgentServiceConfigSpec is what assisted-service runs with.
type AgentServiceConfigSpec struct {
	DatabaseStorage   corev1.PersistentVolumeClaimSpec  `json:"databaseStorage"`
	FileSystemStorage corev1.PersistentVolumeClaimSpec  `json:"filesystemStorage"`
	ImageStorage      *corev1.PersistentVolumeClaimSpec `json:"imageStorage,omitempty"`
	MirrorRegistryRef *corev1.LocalObjectReference      `json:"mirrorRegistryRef,omitempty"`
	OSImages          []OSImage                         `json:"osImages,omitempty"`
}

// OSImage is one live medium.
type OSImage struct {
	OpenshiftVersion string `json:"openshiftVersion"`
	Version          string `json:"version"`
	URL              string `json:"url"`
	RootFSURL        string `json:"rootFSUrl,omitempty"`
	CPUArchitecture  string `json:"cpuArchitecture,omitempty"`
}

// Conditions is a status of conditions alone.
type Conditions struct {
	Conditions []Condition `json:"conditions,omitempty"`
}

// InfraEnv is the discovery environment of a set of servers.
type InfraEnv = Object[InfraEnvSpec, InfraEnvStatus]

// InfraEnvSpec is what a discovery image holds.
type InfraEnvSpec struct {
	PullSecretRef              *corev1.LocalObjectReference `json:"pullSecretRef"`
	SSHAuthorizedKey           string                       `json:"sshAuthorizedKey,omitempty"`
	AdditionalTrustBundle      string                       `json:"additionalTrustBundle,omitempty"`
	OSImageVersion             string                       `json:"osImageVersion,omitempty"`
	CPUArchitecture            string                       `json:"cpuArchitecture,omitempty"`
	ImageType                  string                       `json:"imageType,omitempty"`
	NMStateConfigLabelSelector *metav1.LabelSelector        `json:"nmStateConfigLabelSelector,omitempty"`
}

// InfraEnvStatus says where the image is.
type InfraEnvStatus struct {
	ISODownloadURL string      `json:"isoDownloadURL,omitempty"`
	Conditions     []Condition `json:"conditions,omitempty"`
}

// NMStateConfig is the static network of one server.
type NMStateConfig = Object[NMStateConfigSpec, struct{}]

// NMStateConfigSpec is NMState's document and the interfaces that it speaks of.
type NMStateConfigSpec struct {
	Interfaces []NMStateInterface `json:"interfaces,omitempty"`
	Config     map[string]any     `json:"config,omitempty"`
}

// NMStateInterface pairs an interface's name with its address.
type NMStateInterface struct {
	Name       string `json:"name"`
	MACAddress string `json:"macAddress"`
}

// Agent is a server that booted a discovery image.
type Agent = Object[AgentSpec, AgentStatus]

// AgentSpec is what is decided of an Agent.
type AgentSpec struct {
	Approved              bool              `json:"approved"`
	Hostname              string            `json:"hostname,omitempty"`
	Role                  string            `json:"role"`
	InstallationDisk      string            `json:"installation_disk_id,omitempty"`
	ClusterDeploymentName *ClusterReference `json:"clusterDeploymentName,omitempty"`
}

// ClusterReference is the cluster that an Agent is bound to.
type ClusterReference struct {
	Name      string `json:"name,omitempty"`
	Namespace string `json:"namespace,omitempty"`
}

// AgentStatus is what assisted-service knows of an Agent.
type AgentStatus struct {
	Conditions      []Condition                   `json:"conditions,omitempty"`
	DebugInfo       AgentDebug                    `json:"debugInfo,omitempty"`
	Progress        AgentProgress                 `json:"progress,omitempty"`
	Inventory       AgentInventory                `json:"inventory,omitempty"`
	ValidationsInfo map[string][]ValidationResult `json:"validationsInfo,omitempty"`
}

// AgentDebug holds the state that the service keeps.
type AgentDebug struct {
	State     string `json:"state,omitempty"`
	StateInfo string `json:"stateInfo,omitempty"`
}

// AgentProgress is how far the installation is.
type AgentProgress struct {
	CurrentStage           string `json:"currentStage,omitempty"`
	InstallationPercentage int64  `json:"installationPercentage,omitempty"`
	ProgressInfo           string `json:"progressInfo,omitempty"`
}

// AgentInventory is what the server found in itself.
type AgentInventory struct {
	Hostname   string           `json:"hostname,omitempty"`
	Interfaces []AgentInterface `json:"interfaces,omitempty"`
}

// AgentInterface is one network interface.
type AgentInterface struct {
	Name       string `json:"name,omitempty"`
	MacAddress string `json:"macAddress,omitempty"`
}

// ValidationResult is one validation of a host.
type ValidationResult struct {
	ID      string `json:"id"`
	Message string `json:"message"`
	Status  string `json:"status"`
}
