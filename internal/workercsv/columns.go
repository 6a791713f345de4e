package workercsv

import (
	"net"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/labrun/labrun/labs"
	"github.com/labrun/labrun/pipeline/source"
)

const headingHint = "name,mac,bmc,user and if need be password and disk, in any order"

// column is one that a file may have.
type column struct {
	name     string
	aliases  []string // as plainly leaves them
	required bool
	unique   bool // no two workers have the same in it
	// read puts a cell into a worker, and gives what it was taken for.
	read func(*labs.ExampleWorker, string) (string, wrong)
}

// wrong says what is wrong with a cell, without what is in it.
type wrong struct{ what, hint string }

func known() []column {
	return []column{
		{name: "name", aliases: []string{"worker", "host", "hostname", "node", "server"}, required: true, unique: true, read: readName},
		{name: "mac", aliases: []string{"bootmac", "macaddress", "bootmacaddress", "pxemac"}, required: true, unique: true, read: readMAC},
		{name: "bmc", aliases: []string{"bmcaddress", "bmchost", "bmcip", "bmcurl", "idrac", "ilo"}, required: true, unique: true, read: readBMC},
		{name: "user", aliases: []string{"username", "bmcuser", "bmcusername", "login"}, required: true, read: readUser},
		{name: "password", aliases: []string{"passwordref", "bmcpassword", "bmcpasswordref"}, read: readPassword},
		{name: "disk", aliases: []string{"rootdisk", "rootdevice", "installdisk", "device"}, read: readDisk},
	}
}

// plainly leaves letters and digits of a heading, in lower case.
func plainly(heading string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, heading)
}

// head reads the line that names the columns. It is false where that line names
// none, and is a worker's itself, maybe.
func (r *reader) head(cells []cell) bool {
	all, names, at := known(), []string(nil), map[string]source.Position{}
	for _, c := range all {
		names = append(append(names, c.name), c.aliases...)
	}
	before := len(r.found)
	for _, c := range cells {
		if c.text == "" { // as spreadsheets leave at the end
			r.columns = append(r.columns, column{name: "no column", read: readNothing})
			continue
		}
		heading := plainly(c.text)
		i := slices.IndexFunc(all, func(k column) bool { return heading == k.name || slices.Contains(k.aliases, heading) })
		if i < 0 {
			r.columns = append(r.columns, column{})
			hint := headingHint
			if near := source.DidYouMean(heading, names); near != "" {
				hint = near
			}
			r.fail(c.at, hint, "there is no column of this name")
			continue
		}
		if heading == "idrac" {
			all[i].read = readIDRAC
		}
		name := all[i].name
		if first, again := at[name]; again {
			r.fail(c.at, "", "the column %s stands at %d already", name, first.Column)
		} else {
			at[name] = c.at
		}
		r.columns = append(r.columns, all[i])
	}
	if len(at) == 0 {
		r.found = r.found[:before]
		r.fail(cells[0].at, headingHint, "the first line names no column that is known")
		return false
	}
	for _, c := range all {
		if _, there := at[c.name]; c.required && !there {
			r.fail(cells[0].at, headingHint, "there is no column %s", c.name)
		}
	}
	return true
}

func readNothing(*labs.ExampleWorker, string) (string, wrong) {
	return "", wrong{"the first line has no name for this cell", headingHint}
}

// longestName leaves room for the longest lab's name: both stand in the field
// managers of objects, which have 128 bytes.
const longestName = 55

var label = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)

func readName(w *labs.ExampleWorker, text string) (string, wrong) {
	if !label.MatchString(text) || len(text) > longestName {
		return "", wrong{"this is no name of a worker", "lower-case letters, digits and hyphens, at most 55, no domain"}
	}
	w.Name = text
	return text, wrong{}
}

var bareMAC = regexp.MustCompile(`^[0-9A-Fa-f]{12}$`)

func readMAC(w *labs.ExampleWorker, text string) (string, wrong) {
	if bareMAC.MatchString(text) {
		text = text[:4] + "." + text[4:8] + "." + text[8:]
	}
	if err := w.MAC.UnmarshalText([]byte(text)); err != nil {
		return "", wrong{"this is no MAC address", "six bytes, such as 52:54:00:00:00:11"}
	}
	hw, err := net.ParseMAC(string(w.MAC))
	if err != nil || hw[0]&1 == 1 || hw.String() == "00:00:00:00:00:00" {
		return "", wrong{"this is no address of an interface", "an interface's own address has an even first byte, and is not zero"}
	}
	return string(w.MAC), wrong{}
}

func readUser(w *labs.ExampleWorker, text string) (string, wrong) {
	if strings.Contains(text, ":") {
		return "", wrong{"a user's name has no colon in it", "a password stands in no CSV: export BMC_PASSWORD=…, or add a column password with env:NAME or file:PATH"}
	}
	w.User = text
	return text, wrong{}
}

var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func readPassword(w *labs.ExampleWorker, text string) (string, wrong) {
	kind, name, _ := strings.Cut(text, ":")
	kind, name = strings.ToLower(strings.TrimSpace(kind)), strings.TrimSpace(name)
	if kind == "env" && !variable.MatchString(name) || kind == "file" && name == "" || kind != "env" && kind != "file" {
		return "", wrong{"this does not say where the password is found, and is maybe the password itself", "env:NAME or file:PATH"}
	}
	w.Password = labs.ExampleSecret{Kind: kind, Name: name}
	return text, wrong{}
}

var device = regexp.MustCompile(`^/dev/[A-Za-z0-9_.:+/-]*[A-Za-z0-9]$`)

func readDisk(w *labs.ExampleWorker, text string) (string, wrong) {
	if !device.MatchString(text) {
		return "", wrong{"this is no device", "/dev/sda, or better one of /dev/disk/by-path"}
	}
	w.Disk = text
	return text, wrong{}
}
