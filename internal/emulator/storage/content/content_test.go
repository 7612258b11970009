package content_test

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/content"
)

func octets(tb testing.TB, c content.Content) []byte {
	tb.Helper()
	b, err := c.Bytes()
	if err != nil {
		tb.Fatal(err)
	}
	if int64(len(b)) != c.Size() {
		tb.Fatalf("%d octets of a content of size %d", len(b), c.Size())
	}
	return b
}

func TestSlicesOfMixedParts(t *testing.T) {
	t.Parallel()
	c := content.Join(content.Of([]byte("hello")), content.Virtual(7, 200_000), content.Zeros(70_000), content.Of(nil), content.Of([]byte("end")))
	whole := octets(t, c)
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		off, n := r.Int64N(c.Size()+10), r.Int64N(c.Size())
		want := whole[min(off, c.Size()):min(off+n, c.Size())]
		if got := octets(t, c.Slice(off, n)); !bytes.Equal(got, want) {
			t.Fatalf("slice %d+%d differs", off, n)
		}
	}
	if got := octets(t, c.Slice(-5, 5)); string(got) != "hello" {
		t.Fatalf("%q", got)
	}
}

func TestVirtualIsStable(t *testing.T) {
	t.Parallel()
	a, b := octets(t, content.Virtual(1, 300_000)), octets(t, content.Virtual(1, 300_000))
	if !bytes.Equal(a, b) {
		t.Fatal("the same seed gives other octets")
	}
	if bytes.Equal(a[:1000], octets(t, content.Virtual(2, 1000))) {
		t.Fatal("another seed gives the same octets")
	}
	if bytes.Equal(a[:65536], a[65536:131072]) {
		t.Fatal("runs repeat")
	}
}

func TestForksDoNotMeet(t *testing.T) {
	t.Parallel()
	base := content.Of([]byte("a")).Append(content.Of([]byte("b"))).Append(content.Of([]byte("c")))
	fork := base.Fork()
	x, y := base.Append(content.Of([]byte("x"))), fork.Append(content.Of([]byte("y")))
	if string(octets(t, x)) != "abcx" || string(octets(t, y)) != "abcy" {
		t.Fatalf("%q %q", octets(t, x), octets(t, y))
	}
}

func TestSparseAgainstPlainBytes(t *testing.T) {
	t.Parallel()
	const size = 64
	r := rand.New(rand.NewPCG(3, 4))
	s, model, written := content.NewSparse(size), make([]byte, size), make([]bool, size)
	for step := range 500 {
		off := r.Int64N(size)
		n := 1 + r.Int64N(size-off)
		before := s
		if r.IntN(3) == 0 {
			s = s.Clear(off, n)
			clear(model[off : off+n])
			clear(written[off : off+n])
		} else {
			data := bytes.Repeat([]byte{byte(step%255) + 1}, int(n))
			s = s.Write(off, content.Of(data))
			copy(model[off:], data)
			for i := off; i < off+n; i++ {
				written[i] = true
			}
		}
		if !bytes.Equal(octets(t, s.Content(0, size)), model) {
			t.Fatalf("step %d: content differs", step)
		}
		if got := octets(t, s.Content(off, n)); !bytes.Equal(got, model[off:off+n]) {
			t.Fatalf("step %d: range differs", step)
		}
		if !slices.Equal(s.Ranges(0, size), runs(written)) {
			t.Fatalf("step %d: %v, want %v", step, s.Ranges(0, size), runs(written))
		}
		_ = octets(t, before.Content(0, size))
	}
	if s = s.Resize(10).Resize(20); s.Size() != 20 || !bytes.Equal(octets(t, s.Content(0, 20))[10:], make([]byte, 10)) {
		t.Fatal("a longer content does not end in zeros")
	}
}

func runs(written []bool) []content.Range {
	var out []content.Range
	for i, w := range written {
		switch {
		case !w:
		case i > 0 && written[i-1]:
			out[len(out)-1].N++
		default:
			out = append(out, content.Range{Off: int64(i), N: 1})
		}
	}
	return out
}

func TestIngest(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("Hello World! ", 50_000)
	want := md5.Sum([]byte(text))
	for _, drop := range []bool{false, true} {
		c, sums, err := content.Ingest{MD5: true, Drop: drop}.Read(strings.NewReader(text), int64(len(text)))
		if err != nil || c.Size() != int64(len(text)) || !bytes.Equal(sums.MD5, want[:]) {
			t.Fatalf("drop %v: %v, size %d", drop, err, c.Size())
		}
		if c.Readable() == drop {
			t.Fatalf("drop %v: readable %v", drop, c.Readable())
		}
		again, err := content.Sum(content.Of([]byte(text)))
		if err != nil || again.CRC64 != sums.CRC64 {
			t.Fatalf("CRC64 %x, %x: %v", again.CRC64, sums.CRC64, err)
		}
		if _, _, err := (content.Ingest{Drop: drop}).Read(strings.NewReader("ab"), 3); !errors.Is(err, content.ErrShort) {
			t.Fatalf("short body: %v", err)
		}
	}
	if _, err := content.Dropped(3).Bytes(); !errors.Is(err, content.ErrDropped) {
		t.Fatal(err)
	}
	if _, err := content.Sum(content.Dropped(3)); !errors.Is(err, content.ErrDropped) {
		t.Fatal(err)
	}
	s, err := content.Sum(content.Of([]byte("Hello World!")))
	if err != nil {
		t.Fatal(err)
	}
	if got := base64.StdEncoding.EncodeToString(s.CRC64Bytes()); got != "peH8Xsgc5QI=" {
		t.Errorf("CRC64 of Hello World! is %s", got)
	}
}
