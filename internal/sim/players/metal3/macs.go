package metal3

import (
	"fmt"
	"strings"
	"sync"
)

// macs are the boot MACs of the hosts that are registered, as Ironic's ports hold them.
type macs struct {
	mu   sync.Mutex
	node map[string]string // by MAC, lower case
}

func (m *macs) claim(mac, node string) error {
	if mac == "" {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.node == nil {
		m.node = map[string]string{}
	}
	key := strings.ToLower(mac)
	if has, ok := m.node[key]; ok && has != node {
		return fmt.Errorf("MAC address %s conflicts with existing node %s", key, has)
	}
	m.node[key] = node
	return nil
}

func (m *macs) release(node string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for mac, has := range m.node {
		if has == node {
			delete(m.node, mac)
		}
	}
}
