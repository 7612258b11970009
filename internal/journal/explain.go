package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"iter"

	"github.com/azure-tenant-grapher/atg/plugin"
)

// stream turns a query into a sequence. Its rows are read page by page: query ends in a
// condition on the row's place and "LIMIT ?", and scan returns that place.
func stream[T any](ctx context.Context, r *Reader, query string, scan func(*sql.Rows) (T, []any, error), start ...any) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for last := start; ; {
			page := make([]T, 0, pageSize)
			err := r.rows(ctx, func(rows *sql.Rows) (bool, error) {
				v, place, err := scan(rows)
				page, last = append(page, v), place
				return err == nil, err
			}, query, append(last[:len(last):len(last)], pageSize)...)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, v := range page {
				if !yield(v, nil) {
					return
				}
			}
			if len(page) < pageSize {
				return
			}
		}
	}
}

// Failures streams every failure with its last error: items that failed, items that could
// not be compared, and, with an empty Item, resources that could not be listed. An error
// of reading ends it.
func (r *Reader) Failures(ctx context.Context) iter.Seq2[Failure, error] {
	const query = `SELECT e.pair, e.key, e.phase, e.doc, p.doc, coalesce(i.state, 0), coalesce(i.attempts, 0)
FROM errors e JOIN pairs p ON p.pair = e.pair LEFT JOIN items i ON i.pair = e.pair AND i.key = e.key
WHERE (e.phase <> 'apply' OR i.state = 6) AND (e.pair, e.key, e.phase) > (?, ?, ?)
ORDER BY e.pair, e.key, e.phase LIMIT ?`
	return stream(ctx, r, query, scanFailure, -1, "", "")
}

func scanFailure(rows *sql.Rows) (Failure, []any, error) {
	var pair, state, attempts int
	var key, phase, doc, pairDoc string
	if err := rows.Scan(&pair, &key, &phase, &doc, &pairDoc, &state, &attempts); err != nil {
		return Failure{}, nil, err
	}
	var f Failure
	var p Pair
	if err := json.Unmarshal([]byte(doc), &f); err != nil {
		return f, nil, err
	}
	err := json.Unmarshal([]byte(pairDoc), &p)
	f.Source, f.Target, f.Item, f.Attempts, f.State = p.Source, p.Target, plugin.Key(key), attempts, names[state]
	return f, []any{pair, key, phase}, err
}

// Warnings streams what could not be carried over. An error of reading ends it.
func (r *Reader) Warnings(ctx context.Context) iter.Seq2[Warning, error] {
	const query = `SELECT pair, key, text, kind FROM warnings WHERE (pair, key, text) > (?, ?, ?) ORDER BY pair, key, text LIMIT ?`
	return stream(ctx, r, query, func(rows *sql.Rows) (Warning, []any, error) {
		var w Warning
		err := rows.Scan(&w.Pair, &w.Key, &w.Text, &w.Kind)
		return w, []any{w.Pair, string(w.Key), w.Text}, err
	}, -1, "", "")
}

// Verdicts streams the items that are not proven equal, as the last verification found
// them. An error of reading ends it.
func (r *Reader) Verdicts(ctx context.Context) iter.Seq2[Verdict, error] {
	const query = `SELECT doc FROM verdicts WHERE (pair, key) > (?, ?) ORDER BY pair, key LIMIT ?`
	return stream(ctx, r, query, func(rows *sql.Rows) (Verdict, []any, error) {
		var doc string
		var v Verdict
		if err := rows.Scan(&doc); err != nil {
			return v, nil, err
		}
		err := json.Unmarshal([]byte(doc), &v)
		return v, []any{v.Pair, string(v.Key)}, err
	}, -1, "")
}
