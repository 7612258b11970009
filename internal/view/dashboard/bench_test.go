package dashboard

import (
	"fmt"
	"testing"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/event"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// crowd is a run of n resources, 64 of them at work.
func crowd(n int) *play {
	p := newPlay()
	p.start("apply", nil, nil)
	p.emit(event.PhaseStarted{Phase: event.Applying})
	for i := range n {
		s := fmt.Sprintf("kv-%05d", i)
		p.emit(event.ResourceStarted{Phase: event.Applying, Source: idPrefix + s, Target: idPrefix + s + "-t"})
		p.work(s, 0, 1, plugin.Created, time.Millisecond)
		if i >= 64 {
			p.done(event.Applying, s, 1)
		}
	}
	return p
}

func BenchmarkView(b *testing.B) {
	for _, n := range []int{10, 1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := crowd(n)
			for b.Loop() {
				view(p.state, canvas{width: 200, height: 50}, p.now)
			}
		})
	}
}

func BenchmarkFold(b *testing.B) {
	p := crowd(100)
	e := event.ItemDone{Resource: idPrefix + "kv-00042", Item: "secrets/x", Status: plugin.Created}
	b.ReportAllocs()
	for b.Loop() {
		p.fold(e, p.now)
	}
}
