package bmctest

import (
	"net"
	"sync"
)

// silence is a listener whose connections never reach the server: they are held open, and nothing is read or written.
type silence struct {
	net.Listener
	bmc *BMC

	mu   sync.Mutex
	held []net.Conn
}

// Accept never gives a connection: it returns when the listener is closed, and then closes those that it held.
func (s *silence) Accept() (net.Conn, error) {
	for {
		conn, err := s.Listener.Accept()
		if err != nil {
			s.release()
			return nil, err
		}
		s.bmc.countOne()
		s.mu.Lock()
		s.held = append(s.held, conn)
		s.mu.Unlock()
	}
}

func (s *silence) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, conn := range s.held {
		_ = conn.Close()
	}
	s.held = nil
}
