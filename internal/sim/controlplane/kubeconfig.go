package controlplane

import (
	"path/filepath"

	"k8s.io/client-go/tools/clientcmd"
	api "k8s.io/client-go/tools/clientcmd/api"
)

// Kubeconfig is the administrator's kubeconfig (YAML), the credentials in it.
func (cp *ControlPlane) Kubeconfig() []byte {
	return cp.KubeconfigFor("admin", "system:masters")
}

// KubeconfigPath is the file below Dir that holds the administrator's kubeconfig, mode 0600.
func (cp *ControlPlane) KubeconfigPath() string {
	return filepath.Join(cp.options.Dir, "kubeconfig")
}

// KubeconfigFor is a kubeconfig (YAML) for a user of these groups, with a certificate of its own in it.
func (cp *ControlPlane) KubeconfigFor(user string, groups ...string) []byte {
	pair := cp.keys.client(user, groups)
	name := cp.options.Name
	config := api.NewConfig()
	config.Clusters[name] = &api.Cluster{Server: cp.URL(), CertificateAuthorityData: cp.keys.ca.Cert}
	config.AuthInfos[user] = &api.AuthInfo{ClientCertificateData: pair.Cert, ClientKeyData: pair.Key}
	config.Contexts[name] = &api.Context{Cluster: name, AuthInfo: user}
	config.CurrentContext = name
	text, err := clientcmd.Write(*config)
	if err != nil {
		panic("encoding a kubeconfig: " + err.Error()) // plain strings and bytes only
	}
	return text
}
