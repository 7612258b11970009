// Package view turns events, reports and errors into what a person or a program reads:
// text, one JSON document, JSON lines, plain progress lines. It is the only room that
// writes to the terminal, and it computes nothing: every number comes from the engine.
//
// Results go to the writer that the caller names as its output; progress and errors go
// to another one. Nothing here asks whether a writer is a terminal: the caller says so
// through Style.
package view
