// Package front is what every request to the emulator passes: it finds the service that
// owns the host, reads the body before the service runs, applies latency and scripted
// faults, and writes the request log.
//
// A request is in the log before its client has the whole answer, so that a test that
// has its answer finds the request logged.
//
// The log never holds a body, an Authorization header, or a signature in a query.
package front
