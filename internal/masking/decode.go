package masking

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// decoded is a text with an encoding taken off, and where each byte of it came
// from. It is empty where there was nothing to take off.
type decoded struct {
	text    []byte
	from    []int32
	partial bool
	open    int // bytes at the end that are the beginning of an escape
}

// each copies a text, but for what the escape at a place stands for, which begins
// with one of the signs. escape gives the length of the escape, 0 where there is
// none, and -1 where it is cut off.
func (d *decoded) each(text []byte, signs string, escape func(rest []byte) (stands []byte, length int)) {
	first := bytes.IndexAny(text, signs)
	if first < 0 {
		return
	}
	d.text = make([]byte, 0, len(text))
	from := make([]int32, 0, len(text)+1)
	changed := false
	for i := 0; i < len(text); {
		stands, length := text[i:i+1], 1
		if i >= first && strings.IndexByte(signs, text[i]) >= 0 {
			switch s, n := escape(text[i:]); {
			case n > 0:
				stands, length, changed = s, n, true
			case n < 0 && d.partial:
				d.open, changed = len(text)-i, true
				length = len(text) - i
				stands = nil
			}
		}
		for range stands {
			from = append(from, int32(i))
		}
		d.text = append(d.text, stands...)
		i += length
	}
	if changed {
		d.from = from
	}
}

// unslash takes off the escapes with a backslash of JSON, YAML, Go, C and shells.
func unslash(d *decoded, text []byte) {
	d.each(text, `\`, func(rest []byte) ([]byte, int) {
		if len(rest) == 1 {
			return nil, -1
		}
		switch c := rest[1]; {
		case c == 'u':
			return unicodeEscape(rest)
		case c == 'U':
			return hexEscape(rest, 8)
		case c == 'x':
			return byteEscape(rest, 2, 2, 16)
		case c >= '0' && c <= '3' && (len(rest) < 3 || isOctal(rest[2])):
			return byteEscape(rest, 1, 3, 8)
		case c == '\n':
			return nil, 2 + len(rest[2:]) - len(bytes.TrimLeft(rest[2:], " \t"))
		case bytes.IndexByte([]byte("ntrabfv"), c) >= 0:
			return []byte{"\n\t\r\a\b\f\v"[bytes.IndexByte([]byte("ntrabfv"), c)]}, 2
		}
		return rest[1:2], 2
	})
}

func isOctal(c byte) bool { return c >= '0' && c <= '7' }

// byteEscape reads a byte, written as a number of digits behind a sign.
func byteEscape(rest []byte, sign, digits, base int) ([]byte, int) {
	if len(rest) < sign+digits {
		return nil, -1
	}
	n, err := strconv.ParseUint(string(rest[sign:sign+digits]), base, 8)
	if err != nil {
		return nil, 0
	}
	return []byte{byte(n)}, sign + digits
}

// hexEscape reads \u0000 or \U00000000.
func hexEscape(rest []byte, digits int) ([]byte, int) {
	if len(rest) < 2+digits {
		return nil, -1
	}
	n, err := strconv.ParseUint(string(rest[2:2+digits]), 16, 32)
	if err != nil {
		return nil, 0
	}
	return utf8.AppendRune(nil, rune(n)), 2 + digits
}

// unicodeEscape reads \u0000, and two of them that are one character.
func unicodeEscape(rest []byte) ([]byte, int) {
	one, n := hexEscape(rest, 4)
	if n <= 0 {
		return nil, n
	}
	high, _ := strconv.ParseUint(string(rest[2:6]), 16, 32)
	if !utf16.IsSurrogate(rune(high)) {
		return one, n
	}
	if len(rest) < 12 {
		return one, map[bool]int{true: n, false: -1}[len(rest) > 7 && (rest[6] != '\\' || rest[7] != 'u')]
	}
	low, err := strconv.ParseUint(string(rest[8:12]), 16, 32)
	if r := utf16.DecodeRune(rune(high), rune(low)); err == nil && rest[6] == '\\' && rest[7] == 'u' && r != utf8.RuneError {
		return utf8.AppendRune(nil, r), 12
	}
	return one, n
}

// unpercent takes off the escapes of a path in a URL.
func unpercent(d *decoded, text []byte) {
	d.each(text, "%", percent)
}

// unquery takes off those of a query, in which a plus is a space.
func unquery(d *decoded, text []byte) {
	d.each(text, "%+", func(rest []byte) ([]byte, int) {
		if rest[0] == '+' {
			return []byte(" "), 1
		}
		return percent(rest)
	})
}

func percent(rest []byte) ([]byte, int) { return byteEscape(rest, 1, 2, 16) }

// unentity takes off the entities of HTML and XML.
func unentity(d *decoded, text []byte) {
	d.each(text, "&", func(rest []byte) ([]byte, int) {
		const longest = 10 // &#x10FFFF;
		end := bytes.IndexByte(rest[:min(len(rest), longest)], ';')
		if end < 0 {
			return nil, map[bool]int{true: -1}[len(rest) < longest]
		}
		name := string(rest[1:end])
		if sign := entity(name); sign != "" {
			return []byte(sign), end + 1
		}
		if len(name) < 2 || name[0] != '#' {
			return nil, 0
		}
		n, err := strconv.ParseUint(name[1:], 10, 32)
		if name[1] == 'x' || name[1] == 'X' {
			n, err = strconv.ParseUint(name[2:], 16, 32)
		}
		if err != nil {
			return nil, 0
		}
		return utf8.AppendRune(nil, rune(n)), end + 1
	})
}

func entity(name string) string {
	switch name {
	case "lt":
		return "<"
	case "gt":
		return ">"
	case "amp":
		return "&"
	case "quot":
		return `"`
	case "apos":
		return "'"
	}
	return ""
}

// unfold makes a space of each line break with what stands around it.
func unfold(d *decoded, text []byte) {
	d.each(text, "\n ", func(rest []byte) ([]byte, int) {
		gap := rest[:len(rest)-len(bytes.TrimLeft(rest, " \t\r\n"))]
		if bytes.IndexByte(gap, '\n') < 0 {
			return nil, 0
		}
		return []byte(" "), len(gap)
	})
}

// unquote makes one quote of those that YAML doubles and shells take apart.
func unquote(d *decoded, text []byte) {
	spellings := [][]byte{[]byte(`'"'"'`), []byte(`'\''`), []byte(`''`)}
	d.each(text, "'", func(rest []byte) ([]byte, int) {
		for _, s := range spellings {
			if bytes.HasPrefix(rest, s) {
				return []byte("'"), len(s)
			}
			if len(rest) < len(s) && bytes.HasPrefix(s, rest) {
				return nil, -1
			}
		}
		return nil, 0
	})
}
