package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// killed kills a run by the signal that nobody can catch when a quarter of a blob's blocks
// is at the target, has it go on, and counts what was sent.
func killed(ctx context.Context, l *lab, size int64, ways ...string) (rows []row, err error) {
	c := cell{count: 1, size: size}
	text, err := accountsOf(c, false)
	if err != nil {
		return nil, err
	}
	for _, way := range ways {
		// The server's blocks are larger, and go so fast that latency has to hold them up.
		of, blocks := emulation{world: text, latency: latency}, int(size/(32*mib))
		if way == through {
			of, blocks = emulation{world: text}, int(size/(8*mib))
		}
		err = l.within(ctx, of, func(az *azure) error {
			before, all, err := az.killAndGoOn(ctx, way, blocks/4)
			if err != nil {
				return err
			}
			if err := az.arrived(ctx, c); err != nil {
				return err
			}
			basis := fmt.Sprintf("%d before the kill, %d after it", before, all-before)
			rows = append(
				rows, atMost(way+": blocks sent", float64(all), float64(blocks), "%.0f", basis),
				note(way+": blocks of the blob", "%d", blocks),
			)
			return nil
		})
		if err != nil {
			return rows, fmt.Errorf("%s: %w", way, err)
		}
	}
	return rows, nil
}

// killAndGoOn returns how many blocks arrived before the kill, and in all.
func (az *azure) killAndGoOn(ctx context.Context, way string, at int) (before, all int, err error) {
	if err := az.settled(ctx); err != nil {
		return 0, 0, err
	}
	cmd := az.lab.command(ctx, az.env, az.applyBlobs(way)...)
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // that it was killed is what is meant
	}()
	for before < at {
		select {
		case <-ended:
			return before, 0, fmt.Errorf("atg ended before %d blocks had arrived", at)
		case <-time.After(5 * time.Millisecond):
		}
		n, err := az.log.blocks()
		if err != nil {
			return before, 0, err
		}
		before += n
	}
	_ = cmd.Process.Kill() // it is there: ended is open, or the run was too short
	<-ended
	late, err := az.log.blocks()
	if err != nil {
		return before, 0, err
	}
	before += late
	_, _, err = watch(az.lab.command(ctx, az.env, "run", "resume", "--no-input", "--progress", "none", "-o", "jsonl"))
	if err != nil {
		return before, 0, err
	}
	after, err := az.log.blocks()
	return before, before + after, err
}

// blocks counts the blocks that arrived at the target since the last call.
func (l *requestLog) blocks() (n int, err error) {
	err = l.each(func(r request) {
		q, err := url.ParseQuery(r.Query)
		if err == nil && r.Host == targetAccount+blobSuffix && r.Status == http.StatusCreated && q.Get("comp") == "block" {
			n++
		}
	})
	return n, err
}
