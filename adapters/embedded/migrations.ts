/**
 * What makes the tables of one schema version out of those of the version before; the first makes them out of nothing.
 * Never changed once it has been released: what is new is appended. `docs/storage-schema.md` describes the tables.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE store (epoch TEXT NOT NULL) STRICT;
  INSERT INTO store VALUES (lower(hex(randomblob(8))));

  CREATE TABLE issued_token (
    token_id TEXT PRIMARY KEY,
    team TEXT NOT NULL,
    app TEXT NOT NULL,
    env TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    document TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX issued_token_by_expiry ON issued_token (expires_at);

  CREATE TABLE revocation (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    until INTEGER NOT NULL,
    document TEXT NOT NULL
  ) STRICT;
  CREATE INDEX revocation_by_end ON revocation (until);
  `,
  `
  CREATE TABLE quota_window (
    name TEXT PRIMARY KEY,
    window_ms INTEGER NOT NULL,
    until INTEGER NOT NULL,
    used TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX quota_window_by_end ON quota_window (until);
  `,
]
