// Package position says in which line of a text file something is wrong.
package position

import (
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
	Offset int64 // in bytes from the start; beyond the end stands for the end
	Err    error
}

// Error returns the text of the cause alone.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

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
		return &Error{syntax.Offset, err}
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
	line, failed := lineAt(path, place.Offset)
	if failed != nil {
		return err
	}
	return fmt.Errorf("line %d: %w", line, err)
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
