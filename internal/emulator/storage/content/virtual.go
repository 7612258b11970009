package content

import (
	"math/rand/v2"
	"sync"
)

const (
	// runLength is how many octets of a seed stand together in the table.
	runLength = 64 << 10
	// tableLength is the size of the table that all generated octets come from.
	tableLength = 1 << 20
)

// noughts is a run of zeros.
var noughts = make([]byte, runLength)

// table is pseudo-random and the same in every process.
var table = sync.OnceValue(func() []byte {
	r := rand.NewChaCha8([32]byte{'a', 't', 'g'})
	t := make([]byte, tableLength)
	_, _ = r.Read(t) // never fails
	return t
})

// runAt returns octets of a seed from an offset on, at least one and at most runLength. A
// run is a window of the table that depends on the seed and the run's number, so that
// octets of any seed and offset are there without computing them or those before.
func runAt(seed uint64, off int64) []byte {
	number := uint64(off) / runLength
	start := mix(seed^mix(number)) % (tableLength - runLength)
	window := table()[start : start+runLength]
	return window[off%runLength:]
}

// mix spreads the bits of x (the finalizer of SplitMix64).
func mix(x uint64) uint64 {
	x += 0x9E3779B97F4A7C15
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}
