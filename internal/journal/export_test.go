package journal

// LimitPages makes the file as full as if the disk were, n pages on. Nothing else can
// fill a disk for one test alone.
func (j *Journal) LimitPages(n int) {
	j.writer.add(func(b *batch) error {
		var pages int
		if err := b.conn.QueryRowContext(b.ctx, "PRAGMA page_count").Scan(&pages); err != nil {
			return err
		}
		_, err := b.conn.ExecContext(b.ctx, "PRAGMA max_page_count = "+itoa(pages+n))
		return err
	})
}

// Run1 runs a statement among the records.
func (j *Journal) Run1(query string) {
	j.writer.add(func(b *batch) error { return b.exec(query) })
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}
