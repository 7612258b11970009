// Package loopback puts the emulator on this machine's loopback interface under Azure's
// own host names, with a certificate authority of its own.
//
// A client reaches it in one of two ways. The product's own clients take Transport, which
// dials the TLS listener for every Azure name and refuses all others. Clients that
// nobody here wrote are pointed at the proxy by HTTPS_PROXY: it accepts CONNECT to any
// port of an Azure name, ends TLS itself, and refuses everything else. So neither can
// leave the machine.
//
// The certificate authority lives in memory, dies with the process, and is constrained
// to Azure's names: trusting it gives nobody power over other sites.
package loopback
