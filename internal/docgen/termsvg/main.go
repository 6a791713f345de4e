// Termsvg draws what stands on a terminal as an SVG picture: a dark, rounded
// window with a title. It reads text with the escape sequences of colours, as
// `tmux capture-pane -e -p` writes it, from standard input.
//
// docs/run.svg is made with it, from a real run against a simulated lab
// (docs/simulated-lab.md) in a terminal of 120 columns:
//
//	tmux new-session -d -s run -x 120 -y 70 'labrun LAB … ; tmux wait-for -S done; read'
//	tmux wait-for done
//	tmux capture-pane -e -p -t run | go run ./internal/docgen/termsvg -columns 120 -title 'labrun LAB' >docs/run.svg
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	title := flag.String("title", "", "what stands in the window's bar: the command")
	columns := flag.Int("columns", 110, "width of the terminal")
	flag.Parse()
	text, err := io.ReadAll(os.Stdin)
	if err == nil {
		_, err = os.Stdout.Write(draw(*title, *columns, parse(string(text))))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "termsvg:", err)
		os.Exit(1)
	}
}
