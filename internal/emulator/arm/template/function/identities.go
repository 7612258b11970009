package function

import (
	"encoding/base32"
	"encoding/binary"
	"math/bits"
	"strings"

	"github.com/google/uuid"
)

var identities = []entry{
	{"guid", 1, anyNumber, onTexts(func(s []string) any {
		return uuid.NewSHA1(guidSpace, []byte(strings.Join(s, "-"))).String()
	})},
	{"uniqueString", 1, anyNumber, onTexts(func(s []string) any { return uniqueString(strings.Join(s, "-")) })},
}

// guidSpace is the namespace of the name-based UUIDs that guid makes; the documentation of
// Bicep's string functions gives it and the hyphen between the arguments.
var guidSpace = uuid.MustParse("11fb06fb-712d-4ddd-98c7-e71bbd588830")

// uniqueString is Azure's: a 64-bit hash of the Murmur family, in 13 letters of base 32.
// Azure does not document it; the tests hold values that Microsoft's own implementations
// give.
func uniqueString(s string) string {
	var sum [8]byte
	binary.BigEndian.PutUint64(sum[:], murmur([]byte(s)))
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:]))
}

const (
	mixA, mixB     = 597399067, 2869860233
	stepA, stepB   = 1444728091, 197830471
	finalA, finalB = 2246822507, 3266489909
)

// murmur hashes with two 32-bit lanes of four bytes each.
func murmur(data []byte) uint64 {
	var a, b uint32
	size := uint32(len(data))
	for ; len(data) >= 8; data = data[8:] {
		a ^= laneA(binary.LittleEndian.Uint32(data))
		a = (bits.RotateLeft32(a, 19)+b)*5 + stepA
		b ^= laneB(binary.LittleEndian.Uint32(data[4:]))
		b = (bits.RotateLeft32(b, 13)+a)*5 + stepB
	}
	var tail [8]byte
	copy(tail[:], data)
	a ^= laneA(binary.LittleEndian.Uint32(tail[:]))
	b ^= laneB(binary.LittleEndian.Uint32(tail[4:]))
	a, b = a^size, b^size
	a += b
	b += a
	a, b = avalanche(a), avalanche(b)
	a += b
	b += a
	return uint64(b)<<32 | uint64(a)
}

func laneA(k uint32) uint32 { return bits.RotateLeft32(k*mixA, 15) * mixB }

func laneB(k uint32) uint32 { return bits.RotateLeft32(k*mixB, 17) * mixA }

func avalanche(h uint32) uint32 {
	h = (h ^ h>>16) * finalA
	h = (h ^ h>>13) * finalB
	return h ^ h>>16
}
