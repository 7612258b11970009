// Package cli is the command line of atg: it turns flags and environment variables into
// options, calls the room that does the work, and turns the result into an exit code. It
// asks and never computes; what people read is written by package view.
//
// A command is built by a function newXCmd(app, runF). RunE only parses; a test passes
// runF to get the options, else the command's run function does the work.
package cli
