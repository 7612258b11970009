package content

import (
	"crypto/md5" //nolint:gosec // Content-MD5 is what Azure Storage computes
	"encoding/binary"
	"errors"
	"hash"
	"hash/crc64"
	"io"
	"sync"
)

// crcTable is of the polynomial that Azure Storage's x-ms-content-crc64 uses.
var crcTable = crc64.MakeTable(0x9A6C9329AC4BC9B5)

// ErrShort is the error of a body that ends before its announced length.
var ErrShort = errors.New("the body is shorter than announced")

// Sums are checksums of octets that came in.
type Sums struct {
	MD5   []byte // nil if not asked for
	CRC64 uint64
}

// CRC64Bytes is the checksum as x-ms-content-crc64 has it before Base64: little endian.
func (s Sums) CRC64Bytes() []byte { return binary.LittleEndian.AppendUint64(nil, s.CRC64) }

// Ingest says how to take in a body.
type Ingest struct {
	MD5  bool // compute it
	Drop bool // keep no octet
}

// chunks are buffers of bodies that are dropped.
var chunks = sync.Pool{New: func() any { return new([256 << 10]byte) }}

// Read takes in exactly n octets of r. The error is ErrShort or the reader's.
func (in Ingest) Read(r io.Reader, n int64) (Content, Sums, error) {
	var m hash.Hash
	if in.MD5 {
		m = md5.New() //nolint:gosec // see the import
	}
	var sums Sums
	var out Content
	var err error
	if in.Drop {
		out = Dropped(n)
		sums.CRC64, err = drain(r, n, m)
	} else {
		out, sums.CRC64, err = keep(r, n, m)
	}
	if err != nil {
		return Content{}, Sums{}, err
	}
	if m != nil {
		sums.MD5 = m.Sum(nil)
	}
	return out, sums, nil
}

// pieceLength bounds how much is read before it is hashed, while it is in the cache.
const pieceLength = 256 << 10

func keep(r io.Reader, n int64, m hash.Hash) (Content, uint64, error) {
	buf := make([]byte, n)
	var crc uint64
	for at := int64(0); at < n; {
		piece := buf[at:min(at+pieceLength, n)]
		if _, err := io.ReadFull(r, piece); err != nil {
			return Content{}, 0, short(err)
		}
		crc = crc64.Update(crc, crcTable, piece)
		if m != nil {
			_, _ = m.Write(piece)
		}
		at += int64(len(piece))
	}
	return Of(buf), crc, nil
}

func drain(r io.Reader, n int64, m hash.Hash) (uint64, error) {
	chunk, _ := chunks.Get().(*[256 << 10]byte)
	defer chunks.Put(chunk)
	var crc uint64
	for n > 0 {
		piece := chunk[:min(int64(len(chunk)), n)]
		if _, err := io.ReadFull(r, piece); err != nil {
			return 0, short(err)
		}
		crc = crc64.Update(crc, crcTable, piece)
		if m != nil {
			_, _ = m.Write(piece)
		}
		n -= int64(len(piece))
	}
	return crc, nil
}

func short(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrShort
	}
	return err
}

// Sum computes the checksums of a content; the error is ErrDropped.
func Sum(c Content) (Sums, error) {
	m := md5.New() //nolint:gosec // see the import
	crc := &crcWriter{}
	if _, err := c.WriteTo(io.MultiWriter(m, crc)); err != nil {
		return Sums{}, err
	}
	return Sums{MD5: m.Sum(nil), CRC64: crc.sum}, nil
}

type crcWriter struct{ sum uint64 }

// Write implements io.Writer.
func (w *crcWriter) Write(p []byte) (int, error) {
	w.sum = crc64.Update(w.sum, crcTable, p)
	return len(p), nil
}
