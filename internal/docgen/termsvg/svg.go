package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
	"unicode/utf8"
)

// The measures of the picture, in pixels.
const (
	size    = 13.0 // of the font
	advance = 7.8  // from one character to the next
	leading = 19.0 // from one line to the next
	bar     = 38.0 // height of the window's bar
	margin  = 20.0
)

// palette gives each colour of a terminal on a dark ground.
func palette() map[string]string {
	return map[string]string{
		"": "#d6deeb", "black": "#5c6773", "red": "#ff6b6b", "green": "#7fd88f", "yellow": "#f5c56b",
		"blue": "#82aaff", "magenta": "#c792ea", "cyan": "#7fdbca", "white": "#d6deeb",
		"bright-black": "#7a8794", "bright-red": "#ff8a80", "bright-green": "#a5e8ae", "bright-yellow": "#ffd98a",
		"bright-blue": "#a9c4ff", "bright-magenta": "#ddb3f5", "bright-cyan": "#a8ece0", "bright-white": "#ffffff",
	}
}

// draw gives the picture of lines in a window.
func draw(title string, columns int, lines [][]run) []byte {
	var b bytes.Buffer
	width := float64(columns)*advance + 2*margin
	height := bar + float64(len(lines))*leading + 1.4*margin
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" role="img" aria-label="%s">`+"\n",
		width, height, width, height, escaped(title))
	fmt.Fprintf(&b, "<!-- Drawn by internal/docgen/termsvg, whose comment says how, from what was on a terminal of %d columns after: %s -->\n",
		columns, strings.ReplaceAll(escaped(title), "--", "&#45;-"))
	fmt.Fprintf(&b, `<rect x="0.5" y="0.5" width="%.0f" height="%.0f" rx="10" fill="#10151c" stroke="#2b3440"/>`+"\n", width-1, height-1)
	for i, colour := range []string{"#ff5f57", "#febc2e", "#28c840"} {
		fmt.Fprintf(&b, `<circle cx="%d" cy="%.0f" r="6" fill="%s"/>`+"\n", 22+20*i, bar/2, colour)
	}
	fmt.Fprintf(&b, `<g font-family="ui-monospace,SFMono-Regular,Menlo,'DejaVu Sans Mono',Consolas,monospace" font-size="%.0f" xml:space="preserve">`+"\n", size)
	fmt.Fprintf(&b, `<text x="%.0f" y="%.1f" text-anchor="middle" fill="#7a8794">%s</text>`+"\n", width/2, bar/2+4.5, escaped(title))
	for i, line := range lines {
		y := bar + float64(i+1)*leading
		for _, r := range line {
			fmt.Fprintf(&b, `<text x="%.1f" y="%.0f" textLength="%.1f" lengthAdjust="spacingAndGlyphs"%s>%s</text>`+"\n",
				margin+float64(r.column)*advance, y, float64(utf8.RuneCountInString(r.text))*advance, r.style.attributes(), escaped(r.text))
		}
	}
	b.WriteString("</g>\n</svg>\n")
	return b.Bytes()
}

func (s style) attributes() string {
	a := fmt.Sprintf(` fill="%s"`, palette()[s.colour])
	if s.bold {
		a += ` font-weight="bold"`
	}
	if s.dim {
		a += ` opacity="0.62"`
	}
	if s.italic {
		a += ` font-style="italic"`
	}
	return a
}

func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder takes everything
	return b.String()
}
