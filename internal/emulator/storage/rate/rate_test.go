package rate

import (
	"testing"
	"time"
)

func TestSecondsAreCountedApart(t *testing.T) {
	t.Parallel()
	var m Meter
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for i, step := range []struct {
		after time.Duration
		thing string
		n     int
		ok    bool
	}{{0, "a", 3, true}, {time.Millisecond, "a", 2, true}, {time.Millisecond, "a", 1, false}, {0, "b", 5, true}, {time.Second, "a", 5, true}} {
		now = now.Add(step.after)
		if err := m.Admit(now, step.thing, step.n, 5); (err == nil) != step.ok {
			t.Errorf("step %d: %v", i, err)
		}
	}
}
