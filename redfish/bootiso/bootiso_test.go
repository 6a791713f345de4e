package bootiso

import (
	"bytes"
	"encoding/binary"
	"os"
	"strings"
	"testing"
)

const line = "labrun preflight: this image only proves that the virtual drive works."

// at is a sector of the image.
func at(image []byte, n uint32) []byte { return image[n*sector : (n+1)*sector] }

// TestImage reads the image as firmware does: volume descriptors from sector 16, the boot record at 17 (El Torito 1.0,
// 2.0), the catalog that it names, and the boot image that the catalog names.
func TestImage(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	image, err := Image(line)
	if err != nil {
		t.Fatal(err)
	}
	if len(image)%sector != 0 || len(image) < least*sector || len(image) > 1<<20 {
		t.Errorf("%d bytes", len(image))
	}
	primary, record, end := at(image, 16), at(image, 17), at(image, 18)
	if !bytes.HasPrefix(primary, []byte("\x01CD001\x01")) || strings.Trim(string(primary[40:72]), " \x00") != Label {
		t.Errorf("primary volume descriptor: %q", primary[:72])
	}
	if got := binary.LittleEndian.Uint16(primary[128:]); got != sector || binary.BigEndian.Uint16(primary[130:]) != sector {
		t.Errorf("blocks of %d bytes", got)
	}
	if got := binary.LittleEndian.Uint32(primary[80:]); int(got)*sector > len(image) {
		t.Errorf("it claims %d sectors and has %d", got, len(image)/sector)
	}
	if !bytes.HasPrefix(record, []byte("\x00CD001\x01EL TORITO SPECIFICATION\x00")) {
		t.Errorf("boot record: %q", record[:39])
	}
	if !bytes.HasPrefix(end, []byte("\xffCD001\x01")) {
		t.Errorf("terminator: %q", end[:7])
	}
	catalog := at(image, binary.LittleEndian.Uint32(record[0x47:]))
	boots(t, image, catalog)
	if left, _ := os.ReadDir(os.TempDir()); len(left) != 0 {
		t.Errorf("left in the folder for temporary files: %v", left)
	}
}

// boots looks at the boot catalog and what it starts.
func boots(t *testing.T, image, catalog []byte) {
	t.Helper()
	var sum uint16
	for i := 0; i < 32; i += 2 {
		sum += binary.LittleEndian.Uint16(catalog[i:])
	}
	if catalog[0] != 1 || catalog[1] != 0 || catalog[30] != 0x55 || catalog[31] != 0xAA || sum != 0 {
		t.Errorf("validation entry % x sums up to %d", catalog[:32], sum)
	}
	entry := catalog[32:64]
	if entry[0] != 0x88 || entry[1] != 0 || binary.LittleEndian.Uint16(entry[2:]) != 0 || binary.LittleEndian.Uint16(entry[6:]) != 4 {
		t.Errorf("initial entry % x: not bootable, with emulation, or of another segment or size", entry)
	}
	if !bytes.Equal(catalog[64:96], make([]byte, 32)) {
		t.Errorf("a further entry % x", catalog[64:96])
	}
	boot := at(image, binary.LittleEndian.Uint32(entry[8:]))
	code, _ := loader(line)
	if !bytes.Equal(boot, code) || boot[510] != 0x55 || boot[511] != 0xAA {
		t.Errorf("the catalog leads to % x…", boot[:32])
	}
	text := boot[0x19:]
	if !bytes.HasPrefix(text, []byte(line+"\r\n\x00")) {
		t.Errorf("its code prints %q", text[:80])
	}
}

func TestLoaderTakesOnlyALine(t *testing.T) {
	for _, bad := range []string{strings.Repeat("x", 401), "two\nlines", "grün"} {
		if _, err := Image(bad); err == nil || !strings.Contains(err.Error(), "must be ASCII") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestNoFolderForTemporaryFiles(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir()+"/none")
	if _, err := Image(line); err == nil || !strings.Contains(err.Error(), "making a boot image") {
		t.Errorf("%v", err)
	}
}
