package progress

import "time"

// frame is the time between two redraws of the lines that run.
const frame = 100 * time.Millisecond

// pulse calls a function by the clock, until it is ended.
type pulse struct{ stop, done chan struct{} }

// newPulse begins; where it is still, it only can be ended.
func newPulse(still bool, beat func()) pulse {
	p := pulse{stop: make(chan struct{}), done: make(chan struct{})}
	if still {
		close(p.done)
		return p
	}
	go func() {
		defer close(p.done)
		ticker := time.NewTicker(frame)
		defer ticker.Stop()
		for {
			select {
			case <-p.stop:
				return
			case <-ticker.C:
				beat()
			}
		}
	}()
	return p
}

// end waits for the last call. It says whether it had not been ended before.
func (p pulse) end() bool {
	select {
	case <-p.stop:
		return false
	default:
	}
	close(p.stop)
	<-p.done
	return true
}
