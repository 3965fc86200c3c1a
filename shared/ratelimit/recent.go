package ratelimit

import "iter"

// mostLocal bounds what one process remembers of callers; each has some 100 bytes.
const mostLocal = 10_000

// recent remembers the last mostLocal values that were set, or half as many: they are in two maps, of which the older one
// is forgotten when the younger one is full. So no call looks at more than one of them.
type recent[V any] struct {
	young, old map[string]V
}

func (m *recent[V]) get(key string) (value V, ok bool) {
	if value, ok = m.young[key]; !ok {
		value, ok = m.old[key]
	}
	return value, ok
}

func (m *recent[V]) set(key string, value V) {
	if _, ok := m.young[key]; !ok && len(m.young) >= mostLocal/2 {
		m.young, m.old = nil, m.young
	}
	if m.young == nil {
		m.young = make(map[string]V)
	}
	m.young[key] = value
	delete(m.old, key)
}

func (m *recent[V]) delete(key string) {
	delete(m.young, key)
	delete(m.old, key)
}

// all are the keys and values, each once.
func (m *recent[V]) all() iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		for _, part := range []map[string]V{m.young, m.old} {
			for key, value := range part {
				if !yield(key, value) {
					return
				}
			}
		}
	}
}
