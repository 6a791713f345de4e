// Package bootiso makes a small ISO 9660 image that boots, to be put into a BMC's virtual drive as a trial.
//
// Its El Torito entry is one for BIOS: a machine that really boots it prints one line and halts, reads no disk and changes
// nothing. There is no UEFI entry; a machine in UEFI mode finds nothing to start and goes on to its next boot option.
package bootiso

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/diskfs/go-diskfs/filesystem/iso9660"
)

const (
	// Label is the image's volume identifier.
	Label = "LABRUN_PREFLIGHT"

	sector = 2048 // bytes; a boot image is counted in quarters of it
	least  = 192  // sectors: drives read ahead, and some BMCs take no image of a few KiB for one

	bootFile = "boot.img"
	textFile = "readme.txt"
)

// Image makes the image; line is what a machine that boots it prints, in ASCII. The library builds it from a folder, which
// is made below the system's folder for temporary files and removed again; the error says where that does not work.
func Image(line string) ([]byte, error) {
	loader, err := loader(line)
	if err != nil {
		return nil, fmt.Errorf("making a boot image: %w", err)
	}
	folder, err := os.MkdirTemp("", "labrun-bootiso-")
	if err != nil {
		return nil, fmt.Errorf("making a boot image: %w", err)
	}
	defer os.RemoveAll(folder)
	for name, content := range map[string][]byte{bootFile: loader, textFile: []byte(line + "\r\n")} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			return nil, fmt.Errorf("making a boot image: %w", err)
		}
	}
	disc := &memory{}
	image, err := iso9660.Create(disc, 0, 0, sector, folder)
	if err != nil {
		return nil, fmt.Errorf("making a boot image: %w", err)
	}
	err = image.Finalize(iso9660.FinalizeOptions{
		VolumeIdentifier: Label,
		ElTorito: &iso9660.ElTorito{
			BootCatalog: "boot.cat",
			Platform:    iso9660.BIOS,
			Entries:     []*iso9660.ElToritoEntry{{Platform: iso9660.BIOS, Emulation: iso9660.NoEmulation, BootFile: bootFile, LoadSize: 4}},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("making a boot image: %w", err)
	}
	return disc.padded(least * sector), nil
}

// loader is the boot image: real-mode code at 0000:7C00 that writes the line by the BIOS and halts for good.
func loader(line string) ([]byte, error) {
	code := []byte{
		0x31, 0xC0, //       xor  ax, ax
		0x8E, 0xD8, //       mov  ds, ax
		0xFC,             //       cld
		0xBE, 0x19, 0x7C, // mov  si, 7C19h: the line, behind this code
		0xAC,       //       next: lodsb
		0x84, 0xC0, //       test al, al
		0x74, 0x09, //       jz   halt
		0xB4, 0x0E, //       mov  ah, 0Eh: write a character
		0xBB, 0x07, 0x00, // mov  bx, 7
		0xCD, 0x10, //       int  10h
		0xEB, 0xF2, //       jmp  next
		0xF4,       //       halt: hlt
		0xEB, 0xFD, //       jmp  halt
	}
	const most = 400
	if len(line) > most || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r > '~' }) {
		return nil, fmt.Errorf("its line must be ASCII of at most %d characters", most)
	}
	out := make([]byte, sector)
	copy(out[copy(out, code):], line+"\r\n")
	out[510], out[511] = 0x55, 0xAA // some firmware wants the mark of a boot sector
	return out, nil
}
