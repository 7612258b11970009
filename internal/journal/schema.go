package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/azure-tenant-grapher/atg/errs"
)

// migrations are the steps from an empty file to the present schema. Step i leads from
// version i to i+1. A step that was released is never edited.
var migrations = []string{`
CREATE TABLE run (
	one     INTEGER PRIMARY KEY CHECK (one = 1),
	doc     TEXT NOT NULL,            -- Run as JSON, without report, spec, status and updated
	spec    TEXT NOT NULL DEFAULT '', -- opaque to the journal
	status  TEXT NOT NULL,
	updated INTEGER NOT NULL,         -- Unix milliseconds
	report  TEXT NOT NULL DEFAULT ''
);
CREATE TABLE pairs (
	pair    INTEGER PRIMARY KEY,
	doc     TEXT NOT NULL,            -- Pair as JSON, without cursor and listed
	cursor  TEXT NOT NULL DEFAULT '',
	listed  INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE items (
	pair     INTEGER NOT NULL,
	seq      INTEGER NOT NULL,        -- place in the order of discovery, from 1
	key      TEXT NOT NULL,
	kind     TEXT NOT NULL,
	doc      BLOB NOT NULL,           -- plugin.Item as JSON
	state    INTEGER NOT NULL DEFAULT 0,
	attempts INTEGER NOT NULL DEFAULT 0,
	bytes    INTEGER NOT NULL DEFAULT 0,
	reason   TEXT,
	PRIMARY KEY (pair, seq)
) WITHOUT ROWID;
CREATE UNIQUE INDEX items_key ON items (pair, key);
CREATE TABLE checkpoints (
	pair INTEGER NOT NULL,
	seq  INTEGER NOT NULL,
	data BLOB NOT NULL,
	PRIMARY KEY (pair, seq)
) WITHOUT ROWID;
CREATE TABLE errors (
	pair  INTEGER NOT NULL,
	key   TEXT NOT NULL,
	phase TEXT NOT NULL,
	doc   TEXT NOT NULL,              -- Failure as JSON
	PRIMARY KEY (pair, key, phase)
) WITHOUT ROWID;
CREATE TABLE warnings (
	pair INTEGER NOT NULL,
	key  TEXT NOT NULL,
	text TEXT NOT NULL,
	kind TEXT NOT NULL,
	PRIMARY KEY (pair, key, text)
) WITHOUT ROWID;
CREATE TABLE verdicts (
	pair INTEGER NOT NULL,
	key  TEXT NOT NULL,
	doc  TEXT NOT NULL,               -- Verdict as JSON
	PRIMARY KEY (pair, key)
) WITHOUT ROWID;
CREATE TABLE counts (
	pair  INTEGER NOT NULL,
	kind  TEXT NOT NULL,
	state INTEGER NOT NULL,
	items INTEGER NOT NULL,
	bytes INTEGER NOT NULL,
	PRIMARY KEY (pair, kind, state)
) WITHOUT ROWID;
`}

// applicationID marks SQLite files as journals of this program: "ATGJ".
const applicationID = 0x4154474A

// versionOf returns the schema version of a file. It refuses a file that is no journal
// and one that a newer version of this program wrote.
func versionOf(ctx context.Context, db *sql.DB, id string) (int, error) {
	var version, app int
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return 0, failure("open the journal", id, err)
	}
	if err := db.QueryRowContext(ctx, "PRAGMA application_id").Scan(&app); err != nil {
		return 0, failure("open the journal", id, err)
	}
	if version > 0 && app != applicationID {
		return 0, &errs.Error{
			Op: "open the journal", Kind: errs.Invalid, Resource: id,
			Err: errors.New("the file is an SQLite database, but no journal"),
		}
	}
	if version > len(migrations) {
		return 0, &errs.Error{
			Op: "open the journal", Kind: errs.Unsupported, Resource: id, Code: "NewerJournal",
			Err:  fmt.Errorf("it was written by a newer version of this program: its schema is %d, this program knows %d", version, len(migrations)),
			Hint: "use the version that began the run, or a later one",
		}
	}
	return version, nil
}

// migrate brings a file to the present schema, one step and transaction at a time.
func migrate(ctx context.Context, db *sql.DB, id string) error {
	version, err := versionOf(ctx, db, id)
	if err != nil {
		return err
	}
	for ; version < len(migrations); version++ {
		step := fmt.Sprintf("BEGIN IMMEDIATE;\n%s\nPRAGMA application_id = %d;\nPRAGMA user_version = %d;\nCOMMIT;",
			migrations[version], applicationID, version+1)
		if _, err := db.ExecContext(ctx, step); err != nil {
			return failure("prepare the journal", id, err)
		}
	}
	return nil
}
