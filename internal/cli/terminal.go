package cli

import (
	"io"
	"os"

	"github.com/mattn/go-isatty"
	"golang.org/x/term"

	"github.com/labrun/labrun/internal/progress"
)

// tty is what a stream can show.
type tty struct {
	live   bool // lines can be redrawn
	colour bool
	fd     int
}

// terminalOf says whether w is a terminal. NO_COLOR takes the colours, a dumb
// terminal the redrawing too.
func terminalOf(w io.Writer) tty {
	if masked, ok := w.(interface{ Behind() io.Writer }); ok {
		w = masked.Behind()
	}
	f, ok := w.(*os.File)
	if !ok || !isatty.IsTerminal(f.Fd()) {
		return tty{}
	}
	dumb := os.Getenv("TERM") == "dumb"
	return tty{live: !dumb, colour: !dumb && os.Getenv("NO_COLOR") == "", fd: int(f.Fd())}
}

func (a *app[E]) view() view {
	t := terminalOf(a.streams.Err)
	if !t.live {
		return progress.NewPlain(a.streams.Err, progress.PlainOptions{Heartbeat: a.heartbeat, Now: a.program.Now})
	}
	return progress.NewTerminal(a.streams.Err, a.terminal(t))
}

// terminal are the options of what is redrawn on a terminal.
func (a *app[E]) terminal(t tty) progress.TerminalOptions {
	return progress.TerminalOptions{
		Colour: t.colour,
		Now:    a.program.Now,
		Size: func() (int, int) {
			columns, rows, err := term.GetSize(t.fd)
			if err != nil || columns <= 0 || rows <= 0 {
				return 80, 24
			}
			return columns, rows
		},
	}
}
