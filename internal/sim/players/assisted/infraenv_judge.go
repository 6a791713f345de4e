package assisted

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"golang.org/x/crypto/ssh"
)

type infraEnvSpec struct {
	PullSecret   core.LocalObjectReference `json:"pullSecretRef"`
	SSHKey       string                    `json:"sshAuthorizedKey"`
	Arch         string                    `json:"cpuArchitecture"`
	OSVersion    string                    `json:"osImageVersion"`
	TrustBundle  string                    `json:"additionalTrustBundle"`
	ClusterRef   *struct{}                 `json:"clusterRef"`
	NetworkFrom  meta.LabelSelector        `json:"nmStateConfigLabelSelector"`
	IgnitionOver string                    `json:"ignitionConfigOverride"`
}

// userError is a fault of what the user gave, which trying again does not mend. Its text follows "Failed to create
// image: "; that of other errors follows "Failed to create image due to an internal error: ".
type userError struct{ error }

func refuse(format string, args ...any) error { return userError{fmt.Errorf(format, args...)} }

// imageError is the message of condition ImageCreated when it is False.
func imageError(err error) string {
	var user userError
	if errors.As(err, &user) {
		return "Failed to create image: " + err.Error()
	}
	return "Failed to create image due to an internal error: " + err.Error()
}

// judgePullSecret refuses a pull secret that is missing, malformed, or lacks credentials for a registry of the images
// that a host pulls. secret is nil where there is none.
func judgePullSecret(name string, secret *core.Secret, env settings) error {
	if name == "" {
		return refuse("Missing reference to pull secret")
	}
	if secret == nil {
		return fmt.Errorf("failed to find secret %[1]s: secrets %[1]q not found", name)
	}
	text, ok := secret.Data[core.DockerConfigJsonKey]
	if !ok {
		return fmt.Errorf("secret %s did not contain key %s", name, core.DockerConfigJsonKey)
	}
	registries, err := credentials(text)
	if err != nil {
		return fmt.Errorf("invalid pull secret data in secret %s: %w", name, err)
	}
	registries = append(registries, strings.Split(env["PUBLIC_CONTAINER_REGISTRIES"], ",")...)
	for _, key := range []string{"AGENT_DOCKER_IMAGE", "INSTALLER_IMAGE", "CONTROLLER_IMAGE"} {
		repository := repositoryOf(env[key])
		if repository != "" && !covered(repository, registries) {
			return fmt.Errorf("invalid pull secret data in secret %s: pull secret must contain auth for %q", name, repository)
		}
	}
	return nil
}

// credentials names the registries that a pull secret has credentials for.
func credentials(text []byte) ([]string, error) {
	var secret struct {
		Auths map[string]map[string]any `json:"auths"`
	}
	if err := json.Unmarshal(text, &secret); err != nil {
		return nil, errors.New("pull secret must be a well-formed JSON")
	}
	if len(secret.Auths) == 0 {
		return nil, errors.New("pull secret must contain 'auths' JSON-object field")
	}
	var names []string
	for registry, entry := range secret.Auths {
		names = append(names, registry)
		auth, _ := entry["auth"].(string)
		if auth == "" {
			continue
		}
		plain, err := base64.StdEncoding.DecodeString(auth)
		if err != nil {
			return nil, fmt.Errorf("invalid pull secret: 'auth' field of %q is not base64-encoded", registry)
		}
		if !strings.Contains(string(plain), ":") {
			return nil, fmt.Errorf("invalid pull secret: 'auth' for %s is not in 'user:password' format", registry)
		}
	}
	return names, nil
}

// repositoryOf is an image without tag and digest.
func repositoryOf(image string) string {
	image, _, _ = strings.Cut(image, "@")
	if at := strings.LastIndex(image, ":"); at > strings.LastIndex(image, "/") {
		image = image[:at]
	}
	return image
}

// covered says whether the repository, or a part of its path, is among the registries.
func covered(repository string, registries []string) bool {
	for {
		if slices.Contains(registries, repository) {
			return true
		}
		at := strings.LastIndex(repository, "/")
		if at < 0 {
			return false
		}
		repository = repository[:at]
	}
}

// judgeBundle refuses what is not PEM certificates from first to last byte.
func judgeBundle(text string) error {
	rest := []byte(strings.TrimSpace(text))
	for {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil {
			return errors.New("invalid block")
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return fmt.Errorf("parse failed: %w", err)
		}
		if len(rest) == 0 {
			return nil
		}
	}
}

func judgeSSHKeys(keys string) error {
	if keys == "" {
		return nil
	}
	for key := range strings.SplitSeq(strings.TrimSpace(keys), "\n") {
		if _, _, _, _, err := ssh.ParseAuthorizedKey([]byte(strings.TrimSpace(key))); err != nil {
			return refuse("SSH key: %s does not match any supported type: ssh-rsa, ssh-ed25519, ecdsa-[VARIANT]", key)
		}
	}
	return nil
}

// chooseImage finds the operating system image: the one asked for, by release or version, or the last listed.
func chooseImage(images []osImage, version, arch string) (osImage, error) {
	arch = architecture(arch)
	var last *osImage
	for _, i := range images {
		if architecture(i.Arch) != arch {
			continue
		}
		if version != "" && (version == i.Release || version == i.Version || strings.HasPrefix(version, i.Release+".")) {
			return i, nil
		}
		if last == nil || newer(i.Release, last.Release) {
			last = &i
		}
	}
	switch {
	case version != "":
		return osImage{}, refuse("Specified OSImageVersion is missing from AgentServiceConfig")
	case last == nil:
		return osImage{}, refuse("The requested CPU architecture (%s) isn't specified in OS images list", arch)
	}
	return *last, nil
}

func architecture(name string) string {
	switch name {
	case "", "amd64":
		return "x86_64"
	case "aarch64":
		return "arm64"
	}
	return name
}

// newer compares releases such as 4.9 and 4.20 by their numbers.
func newer(a, b string) bool {
	var majorA, minorA, majorB, minorB int
	if _, err := fmt.Sscanf(a, "%d.%d", &majorA, &minorA); err != nil {
		return false
	}
	if _, err := fmt.Sscanf(b, "%d.%d", &majorB, &minorB); err != nil {
		return true
	}
	return majorA > majorB || majorA == majorB && minorA > minorB
}

// networkConfig is one NMStateConfig.
type networkConfig struct {
	Name string
	Spec struct {
		Interfaces []struct {
			Name string `json:"name"`
			MAC  string `json:"macAddress"`
		} `json:"interfaces"`
		Config struct {
			Interfaces []struct {
				Name string `json:"name"`
				Type string `json:"type"`
			} `json:"interfaces"`
		} `json:"config"`
	}
}

// judgeNetworks refuses static networks whose ethernet interfaces have no MAC to find them by, and MACs that two hosts
// claim.
func judgeNetworks(configs []networkConfig) error {
	owner := map[string]string{}
	for _, c := range configs {
		mapped := map[string]bool{}
		for _, i := range c.Spec.Interfaces {
			mac := strings.ToLower(i.MAC)
			if other, taken := owner[mac]; taken && other != c.Name {
				return refuse("MAC address %s is mapped by both NMStateConfig %s and %s", i.MAC, other, c.Name)
			}
			owner[mac], mapped[i.Name] = c.Name, true
		}
		for _, i := range c.Spec.Config.Interfaces {
			if i.Type == "ethernet" && !mapped[i.Name] {
				return refuse("mac-interface mapping for interface %s is missing and not a physical interface", i.Name)
			}
		}
	}
	return nil
}
