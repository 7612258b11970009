package local

import (
	"context"
	"sync"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/journal"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// windowSize is how many items of one pair may be discovered and not yet finished.
const windowSize = 256

// work is an item on its way through a phase.
type work struct {
	item       plugin.Item
	ref        journal.Ref   // its place in the journal; zero if it has none
	state      journal.State // what the journal says of it
	doubt      bool          // an earlier part of the run may have written it: compare it first
	checkpoint []byte        // what the plugin saved on an earlier attempt
	attempts   int           // so far, over all rounds
	begun      bool          // its start was told
	took       time.Duration // of the round that failed last
}

// window holds the items of one pair between discovery and their end. It hands out an
// item only once its parent has left the window. Since parents are discovered before
// children, some item in the window can always be handed out: it cannot block for ever.
type window struct {
	slots chan struct{} // one for each item in the window
	ready chan work     // as large as the window: sending never blocks

	mu      sync.Mutex            // guards all below
	waiting map[plugin.Key][]work // by unfinished item: its children in the window
	open    int                   // items in the window
	ended   bool                  // no item will be added
}

func newWindow(size int) *window {
	return &window{
		slots:   make(chan struct{}, size),
		ready:   make(chan work, size),
		waiting: map[plugin.Key][]work{},
	}
}

// add puts an item into the window, once there is room. It returns false if ctx ended.
func (w *window) add(ctx context.Context, it work, parents bool) bool {
	select {
	case w.slots <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open++
	children, unfinished := w.waiting[it.item.Parent]
	wait := parents && unfinished && it.item.Parent != "" && it.item.Parent != it.item.Key
	if wait {
		w.waiting[it.item.Parent] = append(children, it)
	}
	if _, twice := w.waiting[it.item.Key]; !twice {
		w.waiting[it.item.Key] = nil
	}
	if !wait {
		w.ready <- it
	}
	return true
}

// done takes an item out of the window and lets its children go.
func (w *window) done(key plugin.Key) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, child := range w.waiting[key] {
		w.ready <- child
	}
	delete(w.waiting, key)
	w.open--
	<-w.slots
	w.closeIfEmpty()
}

// end says that no item will be added: once the last one is done, ready is closed.
func (w *window) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	w.closeIfEmpty()
}

func (w *window) closeIfEmpty() {
	if w.ended && w.open == 0 {
		close(w.ready)
	}
}
