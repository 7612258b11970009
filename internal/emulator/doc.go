// Package emulator is Azure on this machine's loopback interface: sign-in, Resource
// Manager and data planes, on the real wire protocols and under the true Azure names.
//
// It is for demos and tests. Whoever can open a connection to this machine's loopback
// interface can use it, and everything is kept in memory in the clear: it is no place
// for real secrets.
//
//	em, err := emulator.Start(emulator.Options{})
//	defer em.Close()
//	client := &http.Client{Transport: em.Transport()}
//
// A program of ours passes Transport to its clients and changes nothing else; other
// programs take the variables of Env, which point them at a CONNECT proxy and at the
// emulator's certificate authority. Neither way reaches anything outside.
//
// Service by service: package entra (sign-in), arm (Resource Manager), keyvault, storage. A further
// one is a folder and a line in services.go.
//
// # Control
//
// The proxy's own address answers these plain requests, for those who run the emulator as a
// process of its own. Bodies and answers are JSON; durations are texts ("1.5s") or
// nanoseconds.
//
//	GET    /healthz   {"status":"ready"}
//	GET    /ca.pem    the certificate authority
//	GET    /requests  the request log, one wire.Request per line
//	DELETE /requests  empties it
//	GET    /faults    the scripted faults, with their counters
//	POST   /faults    adds one wire.Fault or a list of them
//	DELETE /faults    removes all
package emulator
