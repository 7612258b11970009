package model

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/content"
)

// hashed is the longest generated blob that has a Content-MD5, as if it had been written by
// one Put Blob; longer ones have none, as if written in blocks.
const hashed = 64 << 10

// Virtual are generated blobs: Count of them, of Size octets each, named by Prefix, where
// PerFolder > 0 a folder, and a number. They cost no memory.
type Virtual struct {
	Count       int
	Size        int64
	Seed        uint64
	Prefix      string
	PerFolder   int
	Tier        string
	ContentType string
	At          time.Time // created and changed

	width, folders int
}

// NewVirtual returns v ready for use.
func NewVirtual(v Virtual) *Virtual {
	v.width = len(strconv.Itoa(max(v.Count-1, 0)))
	if v.PerFolder > 0 {
		v.folders = len(strconv.Itoa(max((v.Count-1)/v.PerFolder, 0)))
	}
	return &v
}

// name of the i-th blob. Names sort as their numbers do.
func (v *Virtual) name(i int) string {
	if v.PerFolder > 0 {
		return fmt.Sprintf("%s%0*d/%0*d", v.Prefix, v.folders, i/v.PerFolder, v.width, i)
	}
	return fmt.Sprintf("%s%0*d", v.Prefix, v.width, i)
}

// index is the number of a name; -1 if no blob has it.
func (v *Virtual) index(name string) int {
	rest, ok := strings.CutPrefix(name, v.Prefix)
	if !ok {
		return -1
	}
	if v.PerFolder > 0 {
		_, rest, _ = strings.Cut(rest, "/")
	}
	i, err := strconv.Atoi(rest)
	if err != nil || i < 0 || i >= v.Count || v.name(i) != name {
		return -1
	}
	return i
}

// from is the number of the first blob whose name is not before name.
func (v *Virtual) from(name string) int {
	lo, hi := 0, v.Count
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if v.name(mid) < name {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

func (v *Virtual) blob(name string) *Blob {
	if i := v.index(name); i >= 0 {
		return v.at(i)
	}
	return nil
}

func (v *Virtual) at(i int) *Blob {
	data := content.Virtual(v.Seed+uint64(i), v.Size)
	b := &Blob{
		Type: Block, Data: data, ETag: fmt.Sprintf("0x8DD%012X", v.Seed<<24+uint64(i)&0xFFFFFFFFFFFF),
		Created: v.At, Modified: v.At, Headers: Headers{ContentType: v.ContentType}, Tier: Tier{Name: v.Tier, Inferred: true},
	}
	if v.Size <= hashed {
		if sums, err := content.Sum(data); err == nil {
			b.Headers.MD5 = sums.MD5
		}
	}
	return b
}
