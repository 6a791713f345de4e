// Package labs holds the facts of a lab: their Go types, their defaults, the
// checks of a lab as a whole, and the lab files themselves. A fact is what the
// lab file declares; what is found out at run time is a step's output.
//
// Struct tags are the schema: `yaml` names the key (",omitempty" makes it
// optional), `default` gives the value of an absent key, `enum` the allowed
// values separated by |, and `doc` the description. An absent optional struct is
// its zero value, so that an expression can read through it.
package labs

// Facts are the facts of one lab, the `lab` of its file.
type Facts struct {
	Name string `yaml:"-"` // the lab file's own name, a DNS label

	Stack        Stack         `yaml:"stack" enum:"ipv4|ipv6|dual" doc:"address families of the lab"`
	Disconnected bool          `yaml:"disconnected" default:"false" doc:"the lab reaches no registry but its own"`
	Domain       string        `yaml:"domain" doc:"base domain of the lab's clusters"`
	DNS          DNS           `yaml:"dns,omitempty" doc:"the lab's name server"`
	Networks     Networks      `yaml:"networks" doc:"address ranges of the hosted cluster"`
	Registry     Registry      `yaml:"registry,omitempty" doc:"the lab's own registry; needed where disconnected is true"`
	Release      Release       `yaml:"release" doc:"what is installed"`
	PullSecret   SecretRef     `yaml:"pull_secret" doc:"where the pull secret (.dockerconfigjson) is found"`
	SSHKey       PublicKey     `yaml:"ssh_key" doc:"public key that may log in to the workers: the key itself, or {file: PATH}"`
	Management   Management    `yaml:"management_cluster" doc:"the cluster that hosts the control plane"`
	MCE          MCE           `yaml:"mce,omitempty" doc:"multicluster engine"`
	AgentService AgentService  `yaml:"agent_service,omitempty" doc:"assisted-service on the management cluster"`
	Hosted       HostedCluster `yaml:"hosted_cluster" doc:"the cluster that is built"`
	InfraEnv     InfraEnv      `yaml:"infraenv,omitempty" doc:"the discovery image of the workers"`
	Preflight    Preflight     `yaml:"preflight,omitempty" doc:"what the hardware pre-flight asks of the workers' BMCs, and what it makes of the answers"`
	Workers      []Worker      `yaml:"workers" doc:"the servers that become nodes"`
	Results      Results       `yaml:"results,omitempty" doc:"files that a finished run writes, mode 0600"`
}

// Stack is the set of address families of a lab.
type Stack string

// The stacks.
const (
	IPv4 Stack = "ipv4"
	IPv6 Stack = "ipv6"
	Dual Stack = "dual"
)

// DNS says which name server answers for the lab.
type DNS struct {
	Server string `yaml:"server,omitempty" doc:"host:port of the lab's name server, port 53 where none is given; the system's resolver where absent"`
}

// Networks are the address ranges of the hosted cluster: one per family.
type Networks struct {
	Machine []CIDR `yaml:"machine" doc:"networks of the workers"`
	Cluster []CIDR `yaml:"cluster" doc:"networks of the pods"`
	Service []CIDR `yaml:"service" doc:"networks of the services"`
}

// Registry is the lab's own registry.
type Registry struct {
	Host          string    `yaml:"host,omitempty" doc:"name of the registry, without port"`
	Port          int       `yaml:"port,omitempty" doc:"port of the registry; absent means 443"`
	CA            PEM       `yaml:"ca,omitempty" doc:"certificate that signed the registry's: PEM text, or {file: PATH}"`
	Credentials   SecretRef `yaml:"credentials,omitempty" doc:"user:password; absent where the pull secret holds them"`
	Mirrors       []Mirror  `yaml:"mirrors,omitempty" doc:"which source repositories are found where"`
	ClusterWideCA bool      `yaml:"cluster_wide_ca" default:"false" doc:"also extend user-ca-bundle of the management cluster (reboots nodes)"`
}

// Mirror is one source repository and where it is mirrored.
type Mirror struct {
	Source  string   `yaml:"source" doc:"repository that images name, quay.io/openshift-release-dev/ocp-release"`
	Mirrors []string `yaml:"mirrors" doc:"repositories that are asked instead, in order"`
}

// Release is what the hosted cluster runs.
type Release struct {
	Image             string `yaml:"image" doc:"release image; by digest in a disconnected lab"`
	Version           string `yaml:"version" doc:"its version, 4.20.3"`
	Arch              string `yaml:"arch" enum:"x86_64|aarch64" default:"x86_64" doc:"CPU architecture of the workers"`
	ControlPlaneImage string `yaml:"control_plane_operator_image,omitempty" doc:"mirror@digest of the release's component hypershift; needed where disconnected is true"`
	RHCOS             RHCOS  `yaml:"rhcos" doc:"what the workers boot"`
}

// RHCOS names the live medium of a release.
type RHCOS struct {
	Version string `yaml:"version" doc:"version of the live ISO, 9.6.20250826-0"`
	ISO     string `yaml:"live_iso" doc:"URL of the live ISO"`
	RootFS  string `yaml:"rootfs" doc:"URL of the rootfs; current versions of assisted-service ignore it"`
}

// Management is the cluster that hosts the control plane.
type Management struct {
	Kubeconfig   Path         `yaml:"kubeconfig" doc:"kubeconfig of an administrator of the management cluster"`
	Context      string       `yaml:"context,omitempty" doc:"context in it; its current one where absent"`
	VirtualMedia VirtualMedia `yaml:"virtual_media,omitempty" doc:"from where BMCs fetch their boot image, where the management cluster does not say"`
}

// VirtualMedia says from where BMCs fetch their boot image. What the management
// cluster says comes first.
type VirtualMedia struct {
	ServedBy string `yaml:"served_by,omitempty" enum:"ironic|image-service" doc:"ironic: a copy that Ironic serves, which is Metal3's default; image-service: the discovery image's own URL (bootIsoSource: http)"`
	URL      string `yaml:"url,omitempty" doc:"where Ironic serves it, as the BMCs see it: https://192.168.125.20:6183, or http://192.168.125.20:6180 without TLS"`
}

// MCE says how multicluster engine is installed.
type MCE struct {
	Namespace        string `yaml:"namespace" default:"multicluster-engine" doc:"namespace of the operator"`
	Channel          string `yaml:"channel" default:"stable-2.10" doc:"channel of the subscription"`
	Catalog          string `yaml:"catalog" default:"redhat-operators" doc:"CatalogSource; the mirrored one where disconnected is true"`
	CatalogNamespace string `yaml:"catalog_namespace" default:"openshift-marketplace" doc:"namespace of the CatalogSource"`
	ConvergedFlow    bool   `yaml:"converged_flow" default:"false" doc:"let Metal3 inspect and deploy hosts (ALLOW_CONVERGED_FLOW)"`
}

// AgentService sizes assisted-service.
type AgentService struct {
	StorageClass      string   `yaml:"storage_class,omitempty" doc:"storage class of its claims; the cluster's default where absent"`
	DatabaseStorage   string   `yaml:"database_storage" default:"10Gi" doc:"claim of the database, at least 1Gi"`
	FilesystemStorage string   `yaml:"filesystem_storage" default:"20Gi" doc:"claim of the file system, at least 1Gi"`
	ImageStorage      string   `yaml:"image_storage" default:"20Gi" doc:"claim of the image service, at least 10Gi"`
	PublicRegistries  []string `yaml:"public_registries,omitempty" doc:"registries that need no entry in the pull secret (PUBLIC_CONTAINER_REGISTRIES)"`
}

// HostedCluster is the cluster that is built.
type HostedCluster struct {
	Name                       string   `yaml:"name" doc:"name of the HostedCluster, a DNS label"`
	Namespace                  string   `yaml:"namespace" default:"clusters" doc:"namespace of the HostedCluster"`
	Availability               string   `yaml:"availability" enum:"SingleReplica|HighlyAvailable" default:"SingleReplica" doc:"of the control plane"`
	InfrastructureAvailability string   `yaml:"infrastructure_availability" enum:"SingleReplica|HighlyAvailable" default:"SingleReplica" doc:"of router, registry and monitoring on the workers"`
	Services                   Services `yaml:"services,omitempty" doc:"how the control plane's services are published"`
	NodePort                   NodePort `yaml:"node_port,omitempty" doc:"where services of type NodePort are reached"`
	StorageClass               string   `yaml:"storage_class,omitempty" doc:"storage class of etcd; the cluster's default where absent"`
	OLMCatalogs                string   `yaml:"olm_catalogs" enum:"guest|management" default:"management" doc:"where the OLM catalogs run"`
	Ingress                    Ingress  `yaml:"ingress,omitempty" doc:"how *.apps reaches the router"`
	NodeDrainTimeout           Duration `yaml:"node_drain_timeout" default:"10m" doc:"how long a node may drain; 0 would mean for ever and is refused"`
}

// Services says how each service of the control plane is published.
type Services struct {
	APIServer    string `yaml:"api_server" enum:"LoadBalancer|NodePort|Route" default:"NodePort" doc:"Kubernetes API"`
	OAuthServer  string `yaml:"oauth_server" enum:"NodePort|Route" default:"NodePort" doc:"OAuth"`
	Konnectivity string `yaml:"konnectivity" enum:"LoadBalancer|NodePort|Route" default:"NodePort" doc:"tunnel from the control plane to the workers"`
	Ignition     string `yaml:"ignition" enum:"NodePort|Route" default:"NodePort" doc:"ignition payload of the workers"`
}

// NodePort is where services of type NodePort are reached.
type NodePort struct {
	Address string `yaml:"address,omitempty" doc:"name with A or AAAA records of all management nodes, or a bare address without brackets; api.<hosted cluster>.<domain> where absent"`
}

// Ingress says how *.apps of the hosted cluster reaches its router.
type Ingress struct {
	Mode    string `yaml:"mode" enum:"HostNetwork|MetalLB" default:"HostNetwork" doc:"HostNetwork: *.apps names the worker that runs the router; MetalLB: a LoadBalancer Service"`
	Address string `yaml:"address,omitempty" doc:"what *.apps resolves to, where it is known beforehand"`
}

// InfraEnv is the discovery image of the workers.
type InfraEnv struct {
	ImageType string `yaml:"image_type" enum:"minimal-iso|full-iso" default:"minimal-iso" doc:"minimal-iso fetches the rootfs after booting; full-iso needs only the BMC"`
}

// Worker is one server that becomes a node.
type Worker struct {
	Name            string          `yaml:"name" doc:"name of the host, a DNS label"`
	BootMAC         MAC             `yaml:"boot_mac" doc:"MAC address of the interface that boots"`
	BMC             BMC             `yaml:"bmc" doc:"its management controller"`
	BootMode        string          `yaml:"boot_mode" enum:"UEFI|UEFISecureBoot|legacy" default:"UEFI" doc:"firmware mode"`
	RootDeviceHints RootDeviceHints `yaml:"root_device_hints,omitempty" doc:"which disk is installed to"`
	Network         StaticNetwork   `yaml:"network,omitempty" doc:"static addresses; DHCP where absent"`
}

// BMC is a worker's management controller.
type BMC struct {
	Address                        string         `yaml:"address" doc:"Metal3 address, redfish-virtualmedia+https://[2620:52:0:1305::1]:9000/redfish/v1/Systems/ID"`
	Credentials                    BMCCredentials `yaml:"credentials" doc:"user and password"`
	DisableCertificateVerification bool           `yaml:"disable_certificate_verification" default:"false" doc:"accept any certificate of the BMC"`
}

// BMCCredentials are where a BMC's user and password are found.
type BMCCredentials struct {
	Username string    `yaml:"username" doc:"user of the BMC"`
	Password SecretRef `yaml:"password" doc:"where its password is found"`
}

// RootDeviceHints choose the disk that is installed to; Metal3's own fields.
type RootDeviceHints struct {
	DeviceName       string `yaml:"device_name,omitempty" doc:"/dev/disk/by-path/… or /dev/sda"`
	SerialNumber     string `yaml:"serial_number,omitempty" doc:"serial number of the disk"`
	WWN              string `yaml:"wwn,omitempty" doc:"unique storage identifier"`
	Model            string `yaml:"model,omitempty" doc:"part of the model's name"`
	Vendor           string `yaml:"vendor,omitempty" doc:"part of the vendor's name"`
	HCTL             string `yaml:"hctl,omitempty" doc:"SCSI address, 0:0:0:0"`
	MinSizeGigabytes int    `yaml:"min_size_gigabytes,omitempty" doc:"smallest size in GB"`
}

// StaticNetwork gives the booting interface addresses of its own.
type StaticNetwork struct {
	Interface string   `yaml:"interface" default:"eno1" doc:"name of the interface"`
	Addresses []CIDR   `yaml:"addresses,omitempty" doc:"addresses with prefix length"`
	Gateways  []string `yaml:"gateways,omitempty" doc:"default routes, one per family"`
	DNS       []string `yaml:"dns,omitempty" doc:"name servers"`
}

// Results are the files that a finished run writes.
type Results struct {
	Kubeconfig Path `yaml:"kubeconfig,omitempty" doc:"kubeconfig of the hosted cluster; kubeconfig in the state folder of the lab where absent"`
	Password   Path `yaml:"password,omitempty" doc:"kubeadmin's password; kubeadmin-password in the state folder of the lab where absent"`
}

// ControlPlaneNamespace is the namespace of the hosted control plane: HyperShift
// always joins the HostedCluster's namespace and name.
func (f *Facts) ControlPlaneNamespace() string { return f.Hosted.Namespace + "-" + f.Hosted.Name }
