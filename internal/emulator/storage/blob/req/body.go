package req

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"net/http"

	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/blob/model"
	"github.com/azure-tenant-grapher/atg/internal/emulator/storage/content"
	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// Body takes in the request's body and checks it against Content-MD5 and
// x-ms-content-crc64.
func (r *Request) Body(in content.Ingest, most int64) (content.Content, content.Sums, *wire.Error) {
	n, refusal := r.Length()
	if refusal != nil {
		return content.Content{}, content.Sums{}, refusal
	}
	if n > most {
		return content.Content{}, content.Sums{}, Refuse(http.StatusRequestEntityTooLarge, "RequestBodyTooLarge", "The request body is too large and exceeds the maximum permissible limit.")
	}
	md5, crc := r.sentMD5(), r.Header("X-Ms-Content-Crc64")
	if md5 != "" {
		in.MD5 = true
	}
	if md5 != "" && crc != "" {
		return content.Content{}, content.Sums{}, Bad("BothCrc64AndMd5HeaderPresent", "Both x-ms-content-crc64 and Content-MD5 header are present.")
	}
	data, sums, err := in.Read(r.R.Body, n)
	if errors.Is(err, content.ErrShort) {
		return data, sums, Bad("IncompleteBody", "The request body is incomplete.") // the client has gone; its words do not matter
	}
	if err != nil {
		return data, sums, Bad("InvalidInput", "One of the request inputs is not valid.")
	}
	return data, sums, checkSums(md5, crc, sums)
}

// sentMD5 is the hash that a body is held against: Content-MD5, or x-ms-blob-content-md5 of a
// block blob that is put whole, which takes precedence (Azure: Put Blob).
func (r *Request) sentMD5() string {
	if v := r.Header("X-Ms-Blob-Content-Md5"); v != "" && r.Header("X-Ms-Blob-Type") == string(model.Block) {
		return v
	}
	return r.Header("Content-MD5")
}

func checkSums(md5, crc string, sums content.Sums) *wire.Error {
	if md5 != "" {
		want, err := base64.StdEncoding.DecodeString(md5)
		if err != nil || len(want) != 16 {
			return Bad("InvalidMd5", "The MD5 value specified in the request is invalid. MD5 value must be 128 bits and base64 encoded.")
		}
		if !bytes.Equal(want, sums.MD5) {
			return Bad("Md5Mismatch", "The MD5 value specified in the request did not match with the MD5 value calculated by the server.")
		}
	}
	if crc != "" {
		want, err := base64.StdEncoding.DecodeString(crc)
		if err != nil || len(want) < 8 {
			return BadHeader("x-ms-content-crc64", crc)
		}
		if !bytes.Equal(want, sums.CRC64Bytes()) {
			return Bad("Crc64Mismatch", "The CRC64 value specified in the request did not match with the CRC64 value calculated by the server.")
		}
	}
	return nil
}

// CheckSource checks what was read from a source against x-ms-source-content-md5 and
// x-ms-source-content-crc64. Without them, nothing is computed.
func (r *Request) CheckSource(c content.Content) *wire.Error {
	md5, crc := r.Header("X-Ms-Source-Content-Md5"), r.Header("X-Ms-Source-Content-Crc64")
	if md5 == "" && crc == "" {
		return nil
	}
	sums, err := content.Sum(c)
	if err != nil {
		return Refuse(http.StatusInternalServerError, "InternalError", err.Error())
	}
	return checkSums(md5, crc, sums)
}

// Sums writes the checksums of what a write took in: MD5 if the client sent one, else
// CRC64.
func (r *Request) Sums(s content.Sums) {
	if r.Header("Content-MD5") != "" {
		r.Out.Set("Content-MD5", base64.StdEncoding.EncodeToString(s.MD5))
		return
	}
	r.Out["X-Ms-Content-Crc64"] = []string{base64.StdEncoding.EncodeToString(s.CRC64Bytes())}
}

// XML reads a small body.
func (r *Request) XML(most int64) ([]byte, *wire.Error) {
	body, err := io.ReadAll(io.LimitReader(r.R.Body, most+1))
	if err != nil || int64(len(body)) > most {
		return nil, Refuse(http.StatusRequestEntityTooLarge, "RequestBodyTooLarge", "The request body is too large and exceeds the maximum permissible limit.")
	}
	return body, nil
}
