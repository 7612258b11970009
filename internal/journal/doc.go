// Package journal keeps a crash-safe record of a run: one SQLite file, in a folder of its
// own below the state directory. It says which items there are, how far each came, and
// why any failed, so that a run can go on after a crash and be explained without Azure.
//
// One goroutine writes, in batches; a batch is on disk (fsync) before it counts. Most
// records are handed over without waiting for that, because to lose them is harmless: an
// item that is recorded as less far than it is will be compared before anything is
// written. SaveCheckpoint, RecordPairs, Sync and Finish wait.
//
// Two processes cannot work on one run: the journal holds a lock, which ends with the
// process, however it ends. Reading needs no lock.
//
// A journal never holds a secret. Items have no field for one; texts that look as if
// they held a signature are cut.
package journal
