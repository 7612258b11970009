package local

import (
	"context"
	"sync"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/journal"
	"github.com/azure-tenant-grapher/atg/plugin"
)

// windowSize is how many items of one pair may be discovered and not yet finished, where
// each goes alone.
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

// load is what a worker takes out of a window at once: one item, or several alike.
type load struct {
	items []work
	group bool // the window counts it among its groups
}

// window holds the items of one pair between discovery and their end. It hands out an
// item only once its parent has left the window. Since parents are discovered before
// children, some item in the window can always be handed out: it cannot block for ever.
//
// Items that one call may replicate together are handed out in groups. A group goes out
// once it is as large as the call takes, when an item comes that is not like those in it,
// and at once while no other group is out: nothing waits for a group to fill unless there
// is work under way.
type window struct {
	slots chan struct{}  // one for each item in the window
	ready chan load      // as large as the window: sending never blocks
	most  func(work) int // how many items like this one a group may have; below 2: it goes alone

	mu      sync.Mutex            // guards all below
	waiting map[plugin.Key][]work // by unfinished item: its children in the window
	open    int                   // items in the window
	ended   bool                  // no item will be added
	group   []work                // alike, and not handed out yet
	groups  int                   // handed out and not settled
}

func newWindow(size int, most func(work) int) *window {
	return &window{
		slots:   make(chan struct{}, size),
		ready:   make(chan load, size),
		most:    most,
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
		w.hand(it)
		w.flush()
	}
	return true
}

// hand hands an item out, alone or in a group.
func (w *window) hand(it work) {
	most := w.most(it)
	if most < 2 {
		w.ready <- load{items: []work{it}}
		return
	}
	if len(w.group) > 0 && !alike(w.group[0].item, it.item) {
		w.send()
	}
	if w.group = append(w.group, it); len(w.group) >= most {
		w.send()
	}
}

// alike tells whether one call may replicate both items.
func alike(a, b plugin.Item) bool { return a.Kind == b.Kind && a.Parent == b.Parent }

// flush hands the group out as it is where nothing else would.
func (w *window) flush() {
	if len(w.group) > 0 && (w.groups == 0 || w.ended) {
		w.send()
	}
}

func (w *window) send() {
	w.ready <- load{items: w.group, group: true}
	w.group = nil
	w.groups++
}

// settled says that the work on a group has ended. Its items are done, or go alone.
func (w *window) settled() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.groups--
	w.flush()
}

// alone hands out an item of a group once more, by itself.
func (w *window) alone(it work) { w.ready <- load{items: []work{it}} }

// done takes an item out of the window and lets its children go.
func (w *window) done(key plugin.Key) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, child := range w.waiting[key] {
		w.hand(child)
	}
	w.flush()
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
	w.flush()
	w.closeIfEmpty()
}

func (w *window) closeIfEmpty() {
	if w.ended && w.open == 0 {
		close(w.ready)
	}
}
