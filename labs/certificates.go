package labs

import (
	"crypto/x509"
	"encoding/pem"
	"strings"
	"time"
)

// authority reads and checks the certificates that the lab's registry is trusted by.
func (c *checker) authority(f *Facts) {
	const path = "registry.ca"
	if f.Registry.CA.IsZero() {
		return
	}
	text, err := f.Registry.CA.Read()
	if err != nil {
		c.fail(path, "", "the registry's CA cannot be read: %v", err)
		return
	}
	mended := !f.Registry.CA.complete()
	f.Registry.CA.Text = text
	switch {
	case strings.Contains(text, "PRIVATE KEY-----"):
		c.fail(path, "give the certificate alone: everybody may read this text, on the hub and on the workers", "there is a private key in the registry's CA")
		return
	case !strings.Contains(text, "-----BEGIN CERTIFICATE-----"):
		c.fail(path, "give PEM text that begins with -----BEGIN CERTIFICATE-----", "the registry's CA holds no certificate")
		return
	}
	c.certificates(path, text)
	if mended {
		c.warn(path, "end the text with one: other programs that read this file may not mend it", "the registry's CA has no final newline; labrun adds it")
	}
}

// certificates checks each certificate of a PEM text.
func (c *checker) certificates(path, text string) {
	rest, begun := []byte(text), strings.Count(text, "-----BEGIN CERTIFICATE-----")
	read := 0
	for block, after := pem.Decode(rest); block != nil; block, after = pem.Decode(rest) {
		rest = after
		if block.Type != "CERTIFICATE" {
			continue
		}
		read++
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			c.fail(path, "copy the file again, whole and unchanged", "the registry's CA has a certificate that cannot be read")
			continue
		}
		c.certificate(path, certificate)
	}
	if read < begun {
		c.fail(path, "copy the file again, from its first line that begins with -----BEGIN to its last that begins with -----END",
			"the registry's CA is damaged: of %d certificates that begin, %d can be read", begun, read)
	}
}

func (c *checker) certificate(path string, own *x509.Certificate) {
	name := own.Subject.String()
	if name == "" {
		name = "without a name"
	}
	switch {
	case c.now.After(own.NotAfter):
		c.fail(path, "ask who runs the registry for the CA that signs its certificate today: openssl s_client -showcerts -connect REGISTRY shows it",
			"the certificate %s of the registry's CA expired at %s", name, own.NotAfter.UTC().Format(time.RFC3339))
	case c.now.Before(own.NotBefore):
		c.fail(path, "if this machine's clock is right (date), the CA was made under a wrong one: ask for another", "the certificate %s of the registry's CA is not valid before %s", name, own.NotBefore.UTC().Format(time.RFC3339))
	}
	if !own.IsCA {
		c.warn(path, "give the certificate that signed it; a leaf is trusted for itself alone, and not by every program",
			"the certificate %s is no CA, it looks like the registry's own", name)
	}
}

// complete says whether the text ends with a newline, as it is given.
func (p PEM) complete() bool {
	text := p.Text
	if p.File != "" {
		text, _ = readLimited(string(p.File)) // Read has told why it cannot be
	}
	return text == "" || strings.HasSuffix(text, "\n")
}
