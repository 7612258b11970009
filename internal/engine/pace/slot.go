package pace

import "context"

// Slot is a worker's place, which is free for others while its holder waits. It must be
// safe for concurrent use.
type Slot interface {
	// Leave gives the place up. It may be called by several goroutines of one holder:
	// the place is free while at least one of them has left and not returned. One whose
	// wait was cut short by the end of its context never returns.
	Leave()
	// Return waits for the place again. It fails with the cause of ctx's end; the
	// holder then has no place.
	Return(ctx context.Context) error
}

type slotKey struct{}

// WithSlot returns a context whose requests give s up while they wait in a Limiter.
func WithSlot(ctx context.Context, s Slot) context.Context {
	return context.WithValue(ctx, slotKey{}, s)
}

// leaveSlot gives up the slot that ctx carries, if any. resume takes it again.
func leaveSlot(ctx context.Context) (resume func() error) {
	s, ok := ctx.Value(slotKey{}).(Slot)
	if !ok {
		return func() error { return nil }
	}
	s.Leave()
	return func() error { return s.Return(ctx) }
}
