package cli

import (
	"fmt"

	"github.com/labrun/labrun/pipeline"
)

// The exit codes, one class each; 130 and 143 are those of interruption.
const (
	exitDone   = pipeline.ExitDone
	exitFailed = pipeline.ExitFailed // a step failed, or the command could not do its work
	exitUsage  = 2                   // wrong usage, or an invalid lab file
	exitHeld   = 4                   // another run holds the lab, or may: holder.Held, holder.Lost
	exitChange = 10                  // plan --exit-code: something would change
)

// exitTable is what help says of them.
const exitTable = `Exit codes:
  0         done
  1         a step failed
  2         wrong usage or an invalid lab file
  3         pre-flight found a fatal problem
  4         another run holds the lab
  10        plan --exit-code: something would change
  130, 143  interrupted`

// silent is the end of a command that has said all there is to say.
type silent struct{ code int }

func (s *silent) Error() string { return fmt.Sprintf("exit code %d", s.code) }

// ends gives a command's end with an exit code.
func ends(code int) error {
	if code == exitDone {
		return nil
	}
	return &silent{code}
}

// misuse is an error of the command's usage.
type misuse struct {
	message, hint string
}

func (m *misuse) Error() string {
	if m.hint == "" {
		return m.message
	}
	return m.message + "\n  " + m.hint
}

// ExitCode is the class of wrong usage.
func (m *misuse) ExitCode() int { return exitUsage }
