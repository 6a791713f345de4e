package steps

import "syscall"

// endsWithLabrun has the kernel kill a program once the thread that started it ends: where
// labrun is killed, the next run may begin the same program at once.
func endsWithLabrun(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGKILL }
