package workercsv

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline"
	"github.com/labrun/labrun/steps"
)

const good = "name,mac,bmc,user\nworker0,52:54:00:00:00:10,192.0.2.10,admin\n"

func TestRead(t *testing.T) {
	password := labs.ExampleSecret{Kind: "env", Name: "BMC_PASSWORD"}
	one := labs.ExampleWorker{Name: "worker0", MAC: "52:54:00:00:00:10", Address: "redfish-virtualmedia+https://192.0.2.10", User: "admin", Password: password}
	two := one
	two.Name, two.MAC, two.Address = "w1", "52:54:00:00:00:11", "redfish-virtualmedia+https://[2001:db8::11]"
	two.Password, two.Disk = labs.ExampleSecret{Kind: "file", Name: "~/bmc"}, "/dev/disk/by-path/pci-0000:00:1f.2"
	idrac, full := one, one
	idrac.Address, full.Address = "idrac-virtualmedia+https://192.0.2.10", "redfish-virtualmedia://192.0.2.11/redfish/v1/Systems/1"
	full.Name, full.MAC = "w1", "52:54:00:00:00:11"
	for name, c := range map[string]struct {
		text string
		want []labs.ExampleWorker
	}{
		"iDRACs":          {"name,mac,iDRAC,user\nworker0,52:54:00:00:00:10,192.0.2.10,admin\nw1,52:54:00:00:00:11,redfish-virtualmedia://192.0.2.11/redfish/v1/Systems/1,admin\n", []labs.ExampleWorker{idrac, full}},
		"plain":           {good, []labs.ExampleWorker{one}},
		"no last newline": {strings.TrimSpace(good), []labs.ExampleWorker{one}},
		"of a spreadsheet": {"\ufeffUser Name;Boot-MAC;BMC address;Host name;Password;Root disk;\r\n" +
			"admin;5254.0000.0010;HTTPS://192.0.2.10/;worker0;;;\r\n;;;;;;\r\n" +
			"admin;52-54-00-00-00-11;\"2001:db8::11\";w1;file: ~/bmc;/dev/disk/by-path/pci-0000:00:1f.2;\r\n", []labs.ExampleWorker{one, two}},
		"tabs":     {"name\tpassword\tmac\tbmc\tuser\nworker0\t\t525400000010\t192.0.2.10:443\tadmin\n", []labs.ExampleWorker{one}},
		"comments": {"# rack 7\n\nname, mac, bmc, user\n# a worker\nworker0, 52:54:00:00:00:10, \"192.0.2.10\", admin\n", []labs.ExampleWorker{one}},
	} {
		got, found := Read("w.csv", []byte(c.text))
		if diff := cmp.Diff(c.want, got); diff != "" || len(found) > 0 {
			t.Errorf("%s: %v\n%s", name, found, diff)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	const head = "name,mac,bmc,user,password,disk\n"
	for name, c := range map[string]struct{ text, want string }{
		"empty":             {"", "w.csv:1:1: there is no line that names the columns"},
		"no text":           {"name,mac\nw\xe4,x", "w.csv:2:2: this is no text in UTF-8"},
		"another encoding":  {"\xff\xfen\x00a\x00", "w.csv:1:1: this is no text in UTF-8"},
		"no heading":        {"hunter2,52:54:00:00:00:10,192.0.2.1,admin\n", "w.csv:1:1: the first line names no column that is known"},
		"no worker":         {head, "w.csv:1:1: there is no worker below the first line"},
		"columns":           {"name,mac,mac,hunter2\nw0,52:54:00:00:00:10,,x\n", "w.csv:1:1: there is no column bmc\nw.csv:1:1: there is no column user\nw.csv:1:10: the column mac stands at 6 already\nw.csv:1:14: there is no column of this name\nw.csv:2:22: mac: it is empty"},
		"passwords":         {head + "w0,52:54:00:00:00:10,a,admin,hunter2,\nw1,52:54:00:00:00:11,b,admin,env:hunter-2,\nw2,52:54:00:00:00:12,c,admin:hunter2,file:,\n", "w.csv:2:30: password: this does not say where the password is found, and is maybe the password itself\nw.csv:3:30: password: this does not say where the password is found, and is maybe the password itself\nw.csv:4:24: user: a user's name has no colon in it\nw.csv:4:38: password: this does not say where the password is found, and is maybe the password itself"},
		"same":              {head + "w0,52:54:00:00:00:10,a,u,,\nw0,5254.0000.0010,https://A,u,,\n", "w.csv:3:1: name: it is the same as in line 2\nw.csv:3:4: mac: it is the same as in line 2\nw.csv:3:19: bmc: it is the same as in line 2"},
		"cells":             {head + "Worker_0,01:54:00:00:00:10,a b,u,,sda\nw1\n,52:54:00,\"a\nhunter2\",u,,,hunter2\n", "w.csv:2:1: name: this is no name of a worker\nw.csv:2:10: mac: this is no address of an interface\nw.csv:2:28: bmc: there is a character in it that no address of a BMC has\nw.csv:2:35: disk: this is no device\nw.csv:3:1: mac: the line ends before it\nw.csv:3:1: bmc: the line ends before it\nw.csv:3:1: user: the line ends before it\nw.csv:4:1: name: it is empty\nw.csv:4:2: mac: this is no MAC address\nw.csv:4:11: bmc: there is a line break or another control character in it\nw.csv:5:14: the first line names no column for this cell"},
		"quotes":            {head + "w\"0,hunter2\nw1,52:54:00:00:00:11,ü,u,hunter2,\n", "w.csv:2:2: a quote stands where none can\nw.csv:3:22: bmc: there is a character in it that no address of a BMC has\nw.csv:3:26: password: this does not say where the password is found, and is maybe the password itself"},
		"no name of a cell": {"name,mac,bmc,user,\nw1,52:54:00:00:00:11,a,u,hunter2\n", "w.csv:2:26: no column: the first line has no name for this cell"},
	} {
		workers, found := Read("w.csv", []byte(c.text))
		if diff := cmp.Diff(c.want, found.Error()); diff != "" || workers != nil {
			t.Errorf("%s: %v\n%s", name, workers, diff)
		}
		var b strings.Builder
		if err := found.Render(&b, nil); err != nil || strings.Contains(b.String(), "hunter") {
			t.Errorf("%s: it tells a password: %s", name, b.String())
		}
	}
}

func TestBMCAddress(t *testing.T) {
	for _, c := range []struct{ text, want, problem string }{
		{"192.0.2.1", "redfish-virtualmedia+https://192.0.2.1", ""},
		{"192.0.2.1:8443", "redfish-virtualmedia+https://192.0.2.1:8443", ""},
		{"bmc0.lab.example", "redfish-virtualmedia+https://bmc0.lab.example", ""},
		{"2001:db8::1", "redfish-virtualmedia+https://[2001:db8::1]", ""},
		{"[2001:db8::1]:9000", "redfish-virtualmedia+https://[2001:db8::1]:9000", ""},
		{"2001:db8:0:0:0:0:0:1:9000", "redfish-virtualmedia+https://[2001:db8:0:0:0:0:0:1]:9000", ""},
		{"http://192.0.2.1:8000/redfish/v1/", "redfish-virtualmedia+http://192.0.2.1:8000", ""},
		{"https://192.0.2.1/redfish/v1/Systems/1/", "redfish-virtualmedia+https://192.0.2.1/redfish/v1/Systems/1", ""},
		{"redfish://192.0.2.1/redfish/v1/Systems/1", "redfish-virtualmedia+https://192.0.2.1/redfish/v1/Systems/1", ""},
		{"redfish+http://192.0.2.1/redfish/v1/Systems/1", "redfish-virtualmedia+http://192.0.2.1/redfish/v1/Systems/1", ""},
		{"idrac-redfish://192.0.2.1/redfish/v1/Systems/System.Embedded.1", "idrac-virtualmedia+https://192.0.2.1/redfish/v1/Systems/System.Embedded.1", ""},
		{"redfish-virtualmedia://2001:db8::1/redfish/v1/Systems/1", "redfish-virtualmedia://[2001:db8::1]/redfish/v1/Systems/1", ""},
		{"idrac-virtualmedia://192.0.2.1/redfish/v1/Systems/1", "idrac-virtualmedia://192.0.2.1/redfish/v1/Systems/1", ""},
		{"2001:db8::1:9000", "", "put the address in brackets"},
		{"2001:db8::1234", "redfish-virtualmedia+https://[2001:db8::1234]", ""},
		{"root:calvin@192.0.2.1", "", "a user"},
		{"https://192.0.2.1/?a=b", "", "a query"},
		{"https://192.0.2.1/redfish/v1/Managers/1", "", "a manager's"},
		{"https://192.0.2.1/login", "", "no system's"},
		{"192.0.2.1:0", "", "port"}, {"192.0.2.1:", "", "port"}, {"[2001:db8::1]:99999", "", "port"},
		{"2001:db8:0:0:0:0:0:1:99999", "", "no address of a BMC"},
		{"fe80::1%eth0", "", "a zone"}, {"fe80::1", "", "link-local"},
		{"ipmi://192.0.2.1", "", "no address of a BMC"}, {"ilo4-virtualmedia://192.0.2.1", "", "no address of a BMC"}, {"redfish+ftp://192.0.2.1", "", "no address of a BMC"},
		{"192.0.2.300", "", "neither a name"}, {"bmc_1", "", "no address of a BMC"}, {"https://", "", "a character"}, {"/redfish/v1/Systems/1", "", "no address of a BMC"},
	} {
		got, problem := bmcAddress(c.text, "redfish-virtualmedia")
		if got != c.want || !strings.Contains(problem, c.problem) || (problem == "") != (c.problem == "") {
			t.Errorf("%q: got %q, %q; want %q, %q", c.text, got, problem, c.want, c.problem)
		}
	}
}

// FuzzCSV reads anything as a file of workers. What is accepted makes a valid lab
// file with just these workers, under the longest name; what is refused is told
// at places that the file has.
func FuzzCSV(f *testing.F) {
	for _, text := range []string{
		good, "name;mac;bmc;user;password;disk\r\nnull;52:54:00:12:34:56;[::1]:8000;\"a: {b} #c\";file:~;/dev/sda\r\n", "\ufeffname\tmac\n\"", "a\xff", "name,mac,bmc,user\n1e5,000000000002,a:80,*x\n",
		"name,mac,bmc,user\n" + strings.Repeat("x", longestName) + ",000000000002,http://0x1/redfish/v1/Systems/a:,\u2028\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		workers, found := Read("w.csv", data)
		if (len(found) > 0) == (len(workers) > 0) {
			t.Fatalf("%d workers and %d findings", len(workers), len(found))
		}
		lines := strings.Split(strings.TrimPrefix(string(data), "\ufeff"), "\n")
		for _, d := range found {
			if d.Message == "" || !d.Private || d.Pos.Line < 1 || d.Pos.Line > len(lines) || d.Pos.Column < 1 || d.Pos.Column > len(lines[d.Pos.Line-1])+1 {
				t.Fatalf("%v is nowhere in the file", d)
			}
		}
		if len(workers) > 0 {
			written(t, workers)
		}
	})
}

// written holds workers to what is read of a lab file with them.
func written(t *testing.T, workers []labs.ExampleWorker) {
	t.Helper()
	text, err := labs.Example{Stack: labs.Dual, Name: strings.Repeat("x", 54), Workers: workers}.Write()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "lab.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	p, wrong := pipeline.Load(pipeline.Request[*steps.Env]{File: file, Kinds: steps.Builtin(), Schema: steps.Schema(), Builtin: labs.Steps()})
	if len(wrong) > 0 {
		t.Fatalf("%v\n%s", wrong, text)
	}
	read := p.Facts.(*labs.Facts).Workers
	if len(read) != len(workers) {
		t.Fatalf("%d workers, read %d", len(workers), len(read))
	}
	for i, w := range workers {
		r := read[i]
		if r.Name != w.Name || r.BootMAC != w.MAC || r.BMC.Address != w.Address || r.BMC.Credentials.Username != w.User {
			t.Fatalf("%+v is read as %+v\n%s", w, r, text)
		}
		if r.BMC.Credentials.Password.IsZero() || w.Password.Kind == "env" && r.BMC.Credentials.Password.Env != w.Password.Name {
			t.Fatalf("the password of %s is read as %s", w.Name, r.BMC.Credentials.Password)
		}
	}
}
