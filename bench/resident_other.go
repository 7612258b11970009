//go:build !unix

package main

import "os"

// maxResident is 0: this system does not account for it.
func maxResident(*os.ProcessState) int64 { return 0 }
