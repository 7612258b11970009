// Package position says in which line of a text file something is wrong.
package position

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
)

// Error is an error at a place in a file.
type Error struct {
	Offset int64 // in bytes from the start; beyond the end stands for the end, Syntax for where JSON breaks
	Err    error
}

// Error returns the text of the cause alone.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Syntax is the offset of an error in the syntax of JSON. A decoder that has read both
// tokens and values does not know it: Locate looks for it.
const Syntax = -1

// ErrEnd says that a file ends too early.
var ErrEnd = errors.New("the file ends too early")

// Of places an error of dec, or one about what dec has just read.
func Of(dec *json.Decoder, err error) error {
	var placed *Error
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &placed):
		return err
	case errors.As(err, &syntax):
		return &Error{Syntax, err}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, ErrEnd):
		return &Error{math.MaxInt64, ErrEnd} // the decoder has two ways to say so
	}
	return &Error{dec.InputOffset(), err}
}

// Locate puts the line before an error that has a place in the file at path. Lines are
// counted only then; of a file that went away meanwhile the error is all there is.
func Locate(path string, err error) error {
	var place *Error
	if !errors.As(err, &place) {
		return err
	}
	offset := place.Offset
	if offset == Syntax {
		offset = breakOf(path)
	}
	line, failed := lineAt(path, offset)
	if failed != nil {
		return err
	}
	return fmt.Errorf("line %d: %w", line, err)
}

// breakOf returns the offset at which the file stops being JSON.
func breakOf(path string) int64 {
	in, err := os.Open(path)
	if err != nil {
		return 0 // so does lineAt
	}
	defer in.Close()
	text := bufio.NewReader(in)
	var skipped int64
	if head, _ := text.Peek(len(mark)); string(head) == mark {
		n, _ := text.Discard(len(mark))
		skipped = int64(n)
	}
	dec := json.NewDecoder(text)
	for {
		if _, err := dec.Token(); err != nil {
			return behindSpace(path, skipped+dec.InputOffset())
		}
	}
}

// mark begins files in UTF-8 that some editors write.
const mark = "\xef\xbb\xbf"

// behindSpace returns the offset of the first byte from offset on that is neither white
// space nor between two values.
func behindSpace(path string, offset int64) int64 {
	in, err := os.Open(path)
	if err != nil {
		return offset
	}
	defer in.Close()
	if _, err := in.Seek(offset, io.SeekStart); err != nil {
		return offset
	}
	for text := bufio.NewReader(in); ; offset++ {
		if c, err := text.ReadByte(); err != nil || !strings.ContainsRune(" \t\r\n,:", rune(c)) {
			return offset
		}
	}
}

// lineAt returns the number of the line that holds the byte at offset, counted from 1.
func lineAt(path string, offset int64) (int, error) {
	in, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	counter := &lines{n: 1}
	_, err = io.CopyN(counter, in, offset)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return counter.n, err
}

// lines is a writer that counts line ends.
type lines struct{ n int }

// Write implements io.Writer.
func (l *lines) Write(p []byte) (int, error) {
	l.n += strings.Count(string(p), "\n")
	return len(p), nil
}
