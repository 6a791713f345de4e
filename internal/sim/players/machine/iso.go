package machine

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/kdomanski/iso9660"
)

// ErrNoDiscoveryISO says that an image boots, if at all, something that registers no Agent.
var ErrNoDiscoveryISO = errors.New("the image is no discovery ISO")

// DiscoveryISO is a small ISO 9660 image that carries the id (UID) of an InfraEnv, as assisted-service's image
// service embeds it. It panics never: an ISO that could not be made is empty.
func DiscoveryISO(infraEnvID string) []byte {
	writer, err := iso9660.NewWriter()
	if err != nil {
		return nil
	}
	defer func() { _ = writer.Cleanup() }()
	if err := writer.AddFile(strings.NewReader(idKey+infraEnvID+"\n"), idFile); err != nil {
		return nil
	}
	var image bytes.Buffer
	if err := writer.WriteTo(&image, "rhcos-live"); err != nil {
		return nil
	}
	return image.Bytes()
}

// InfraEnvID reads the id out of a discovery ISO; any other image is ErrNoDiscoveryISO.
func InfraEnvID(image []byte) (string, error) {
	opened, err := iso9660.OpenImage(bytes.NewReader(image))
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoDiscoveryISO, err)
	}
	root, err := opened.RootDir()
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoDiscoveryISO, err)
	}
	files, err := root.GetChildren()
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoDiscoveryISO, err)
	}
	for _, file := range files {
		if !strings.EqualFold(strings.TrimSuffix(file.Name(), ";1"), idFile) {
			continue
		}
		text, err := io.ReadAll(io.LimitReader(file.Reader(), 4096))
		if err != nil {
			return "", fmt.Errorf("reading %s of the image: %w", idFile, err)
		}
		if id, ok := strings.CutPrefix(strings.TrimSpace(string(text)), idKey); ok {
			return strings.TrimSpace(id), nil
		}
	}
	return "", fmt.Errorf("%w: it holds no %s", ErrNoDiscoveryISO, idFile)
}
