package azcopy

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
)

// message is one line of what AzCopy says with --output-type json.
type message struct {
	Type    string `json:"MessageType"`
	Content string `json:"MessageContent"` // of Init, Progress and EndOfJob: JSON in a string
}

// The types of message that are read.
const (
	initial  = "Init"
	progress = "Progress"
	ended    = "EndOfJob"
	failure  = "Error"
)

// Status is how a job stands, in AzCopy's words.
type Status string

// The statuses of a job that has ended.
const (
	Completed                     Status = "Completed"
	CompletedWithErrors           Status = "CompletedWithErrors"
	CompletedWithSkipped          Status = "CompletedWithSkipped"
	CompletedWithErrorsAndSkipped Status = "CompletedWithErrorsAndSkipped"
	Cancelled                     Status = "Cancelled"
	Failed                        Status = "Failed"
)

// number is a count, which AzCopy writes as a number or as a string, by field.
type number int64

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(b []byte) error {
	v, err := strconv.ParseInt(strings.Trim(string(b), `"`), 10, 64)
	*n = number(v)
	return err
}

// summary is what of Init, Progress and EndOfJob is read. Lists of blobs follow the counts
// there, and are not read: each blob is looked at anyway.
type summary struct {
	job, status                              string
	total, completed, failed, skipped, bytes number
}

// fields are where a summary's parts come from.
func (s *summary) fields() map[string]any {
	return map[string]any{
		"JobID": &s.job, "JobStatus": &s.status, "TotalTransfers": &s.total, "TransfersCompleted": &s.completed,
		"TransfersFailed": &s.failed, "TransfersSkipped": &s.skipped, "TotalBytesTransferred": &s.bytes,
	}
}

// read takes from content what stands in it, which may break off.
func (s *summary) read(content string) {
	d := json.NewDecoder(strings.NewReader(content))
	known := s.fields()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return
		}
		key, _ := name.(string)
		to, wanted := known[key]
		if !wanted {
			to = &json.RawMessage{}
		}
		if d.Decode(to) != nil {
			return
		}
	}
}

// maxLine bounds what is kept of a line. The last one lists every blob that was skipped.
const maxLine = 1 << 20

// messages calls f for each message, in order, until the output ends. Lines that are none,
// such as those of a crash, are left out.
func messages(r io.Reader, f func(message)) error {
	in := bufio.NewReaderSize(r, 64<<10)
	for {
		line, err := readLine(in)
		if m, ok := parse(line); ok {
			f(m)
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// readLine reads a line and returns its first maxLine bytes.
func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part[:min(len(part), maxLine-len(line))]...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

// parse reads a message from a line, of which the end may be missing.
func parse(line []byte) (message, bool) {
	var m message
	line = bytes.TrimSpace(line)
	if len(line) == 0 || line[0] != '{' {
		return m, false
	}
	if json.Unmarshal(line, &m) == nil {
		return m, m.Type != ""
	}
	const longestEscape = 6
	if at := bytes.LastIndexByte(line, '\\'); at >= 0 && len(line)-at < 2*longestEscape {
		for at > 0 && line[at-1] == '\\' { // where escapes follow each other, before the first
			at--
		}
		line = line[:at]
	}
	err := json.Unmarshal(append(bytes.Clone(line), `"}`...), &m)
	return m, err == nil && m.Type != ""
}
