// Command bench measures atg against what the emulated Azure allows, and writes the
// numbers to bench/results.md.
//
//	go run ./bench              every scenario that takes minutes at most
//	go run ./bench -long        100,000 and 200,000 secrets too: that takes long
//	go run ./bench -only copy   one scenario, to the terminal alone; -out FILE puts its section into the page
//	go run ./bench -only blobs  the same, of blobs against AzCopy and rclone (scripts/components azcopy rclone)
//
// Blobs are held against AzCopy and rclone, which run against the same emulator, in turns.
//
// It knows the product from outside only: it builds atg, starts "atg emulator start" as a
// process with a scenario of its own, and runs "atg apply" as another one that is pointed
// there by environment variables. What atg did is read from the emulator's request log and
// from atg's JSON lines; a run that did not copy and prove every secret is an error, not
// a number.
//
// Times are held against a limit that is computed from the same run, so that a slow machine
// and a fast one give the same verdict as long as neither is short of CPU: calls × latency
// ÷ concurrency, or the time that the vault's own limit asks for. The exit code is 1 if a
// target was missed or could not be measured.
package main
