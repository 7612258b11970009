package emulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/azure-tenant-grapher/atg/internal/emulator/wire"
)

// maxFaults bounds a list of faults, in bytes.
const maxFaults = 1 << 20

// ReadFaults reads scripted failures as JSON, in the form that POST /faults takes: one
// wire.Fault or a list of them, durations as texts ("1.5s") or nanoseconds. Unknown
// fields are an error. AddFault checks what the faults say.
func ReadFaults(r io.Reader) ([]wire.Fault, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxFaults+1))
	if err != nil {
		return nil, fmt.Errorf("faults: %w", err)
	}
	if len(text) > maxFaults {
		return nil, fmt.Errorf("faults: more than %d bytes", maxFaults)
	}
	return decodeFaults(text)
}

// faultJSON is wire.Fault with durations that people can write.
type faultJSON struct {
	wire.Fault
	RetryAfter duration `json:"retryAfter"`
	Delay      duration `json:"delay"`
}

type duration time.Duration

// UnmarshalJSON takes "1.5s" or nanoseconds.
func (d *duration) UnmarshalJSON(text []byte) error {
	var spelled string
	if err := json.Unmarshal(text, &spelled); err == nil {
		v, err := time.ParseDuration(spelled)
		*d = duration(v)
		return err
	}
	return json.Unmarshal(text, (*int64)(d))
}

// decodeFaults reads one fault or a list.
func decodeFaults(body []byte) ([]wire.Fault, error) {
	if !bytes.HasPrefix(bytes.TrimSpace(body), []byte("[")) {
		body = append(append([]byte("["), body...), ']')
	}
	var list []faultJSON
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&list); err != nil {
		return nil, fmt.Errorf("faults: %w", err)
	}
	out := make([]wire.Fault, 0, len(list))
	for _, f := range list {
		f.Fault.RetryAfter, f.Fault.Delay = time.Duration(f.RetryAfter), time.Duration(f.Delay)
		out = append(out, f.Fault)
	}
	return out, nil
}
