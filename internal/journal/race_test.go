//go:build race

package journal_test

func init() { raced = true }
