package assisted

import "sync"

// imagesMade knows what went into the first image of each InfraEnv, so that a later one gets another address.
type imagesMade struct {
	mutex sync.Mutex
	made  map[string]string
}

// first notes inputs as those of id's first image, unless there was one before, and gives the first's.
func (i *imagesMade) first(id, inputs string) string {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	if i.made == nil {
		i.made = map[string]string{}
	}
	if _, known := i.made[id]; !known {
		i.made[id] = inputs
	}
	return i.made[id]
}
