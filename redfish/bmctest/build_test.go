package bmctest_test

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/labrun/labrun/redfish/bmctest"
)

func TestManagerMedia(t *testing.T) {
	b := start(t, bmctest.Config{Tree: bmctest.Small().MediaUnderManager()})
	if b.Property(bmctest.System, "VirtualMedia") != nil || b.Property(bmctest.Slot, "Inserted") != nil {
		t.Error("it is still under the system")
	}
	slot := bmctest.ManagerMedia + "/Cd"
	if b.Property(bmctest.Manager, "VirtualMedia", "@odata.id") != bmctest.ManagerMedia || b.Property(slot, "@odata.id") != slot ||
		b.Property(slot, "Actions", "#VirtualMedia.EjectMedia", "target") != slot+"/Actions/VirtualMedia.EjectMedia" {
		t.Errorf("it is not whole under the Manager: %v", b.Property(slot))
	}
}

func TestActionInfo(t *testing.T) {
	tree := bmctest.Small()
	path := tree.ActionInfo(bmctest.System, "#ComputerSystem.Reset", map[string][]string{"ResetType": {"On", "ForceOff"}})
	b := start(t, bmctest.Config{Tree: tree})
	_, info := get(t, b, path)
	if got := fmt.Sprint(info["Parameters"]); got != "[map[AllowableValues:[On ForceOff] DataType:String Name:ResetType Required:false]]" {
		t.Error(got)
	}
	action, _ := b.Property(bmctest.System, "Actions", "#ComputerSystem.Reset").(map[string]any)
	if action["@Redfish.ActionInfo"] != path || action["ResetType@Redfish.AllowableValues"] != nil || action["target"] == nil {
		t.Errorf("%v", action)
	}
}

func TestRecord(t *testing.T) {
	var arrived []string
	b := start(t, bmctest.Config{Arrived: func(r bmctest.Request) { arrived = append(arrived, r.String()) }})
	for _, path := range []string{bmctest.System, bmctest.System + "?$select=Id", bmctest.System, bmctest.System, bmctest.System + "9", bmctest.System + "9"} {
		if _, _, err := send(t, "GET", b.URL()+path, "", nil); err != nil {
			t.Fatal(err)
		}
	}
	if got := b.Twice(); !slices.Equal(got, []string{bmctest.System}) {
		t.Errorf("asked twice: %v", got)
	}
	if r := b.Requests()[1]; r.String() != "GET /redfish/v1/Systems/1?$select=Id 200" {
		t.Errorf("%s", r)
	}
	if len(arrived) != 6 || arrived[0] != "GET /redfish/v1/Systems/1 0" || b.MostInFlight() != 1 {
		t.Errorf("%v, %d in flight", arrived, b.MostInFlight())
	}
}

func TestCertificateIsShared(t *testing.T) {
	until := time.Now().Add(48 * time.Hour).Truncate(time.Second)
	c, err := bmctest.NewCertificate(until, "127.0.0.1", "bmc.lab")
	if err != nil {
		t.Fatal(err)
	}
	one, two := start(t, bmctest.Config{TLS: true, Certificate: c}), start(t, bmctest.Config{TLS: true, Certificate: c})
	if !one.Certificate().Equal(two.Certificate()) || !one.Certificate().NotAfter.Equal(until) {
		t.Errorf("%v, %v", one.Certificate().NotAfter, until)
	}
	if one.Certificate().VerifyHostname("bmc.lab") != nil || one.Certificate().VerifyHostname("127.0.0.1") != nil {
		t.Errorf("%v %v", one.Certificate().DNSNames, one.Certificate().IPAddresses)
	}
}

func TestSilent(t *testing.T) {
	b := start(t, bmctest.Config{Silent: true})
	conn, err := net.Dial("tcp", b.URL()[len("http://"):])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	var timeout net.Error
	if _, err := conn.Read(make([]byte, 1)); err == nil || !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("it says something: %v", err)
	}
	if b.Connections() != 1 || len(b.Requests()) != 0 {
		t.Errorf("%d connections, %v", b.Connections(), b.Requests())
	}
}
