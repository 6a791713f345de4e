package redfish

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labrun/labrun/redfish/bmctest"
)

// What older BMCs have for TLS: a handshake that fails says nothing of the certificate, and verification is no matter.
func TestHandshakes(t *testing.T) {
	for _, test := range []struct {
		name   string
		config *tls.Config
		status Status
		text   string
		not    string
	}{
		{"RSA key exchange, 128 bits", &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}}, Pass, "good until", "failed"},
		{"RSA key exchange, 256 bits", &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_256_GCM_SHA384}}, Pass, "good until", "failed"},
		{"elliptic curves", &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}}, Pass, "good until", "failed"},
		{"TLS 1.3", &tls.Config{MinVersion: tls.VersionTLS13}, Pass, "good until", "failed"},
		{"TLS 1.1", &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, Fail, "protocol version not supported → enable TLS 1.2", "install a certificate"},
		{"another cipher", &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA}}, Fail, "handshake failure → enable TLS 1.2 or 1.3 with AES-GCM", "install a certificate"},
	} {
		for _, unverified := range []bool{false, true} {
			s := httptest.NewUnstartedServer(http.NotFoundHandler())
			s.TLS, s.Config.ErrorLog = test.config.Clone(), log.New(io.Discard, "", 0)
			s.StartTLS()
			h := Host{Name: "worker0", Address: strings.Replace(s.URL, "https", "redfish-virtualmedia", 1) + bmctest.System,
				Credentials: Credentials{user, password}, RootCAs: x509.NewCertPool(), DisableCertificateVerification: unverified}
			h.RootCAs.AddCert(s.Certificate())
			r := ask(t, h, Options{})
			s.Close()
			want(t, r, "tls", test.status, test.text)
			if got := r.Check("tls"); strings.Contains(got.Seen+got.Remedy, test.not) {
				t.Errorf("%s: %+v", test.name, got)
			}
		}
	}
}

// A BMC that takes the connection and says nothing is reset, and its certificate left alone.
func TestHandshakeThatHangs(t *testing.T) {
	b := start(t, bmctest.Config{Silent: true, TLS: true})
	want(t, ask(t, hostAt(b), Options{Timeout: 300 * time.Millisecond, HostTimeout: 2 * time.Second}), "tls", Fail, "no answer in time → reset the BMC")
}
