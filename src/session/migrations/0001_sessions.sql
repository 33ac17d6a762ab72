-- Sessions in D1. docs/architecture.md describes the tables. A blank line ends a statement, and stands nowhere else.
-- Users appear as HMACs only, as in the keys of Redis. Times are milliseconds since the epoch.

-- One row. A Worker that expects another version uses no table. `id` tells this database from one that replaces it.
CREATE TABLE session_schema (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  version INTEGER NOT NULL,
  id TEXT NOT NULL
) STRICT;

INSERT INTO session_schema (one, version, id) VALUES (1, 1, lower(hex(randomblob(8))));

-- `text` is the record as Redis has it. `user` is the name under the newest secret. `active_at` is the activity that the database
-- was told of, which is in an outage only where Redis has sessions too. The row goes after the token's end.
CREATE TABLE session_records (
  id TEXT PRIMARY KEY,
  user TEXT NOT NULL,
  text TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  active_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX session_records_of_user ON session_records (user, created_at);

CREATE INDEX session_records_by_end ON session_records (expires_at);

-- Ends of single sessions.
CREATE TABLE session_tombstones (
  id TEXT PRIMARY KEY,
  expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX session_tombstones_by_end ON session_tombstones (expires_at);

-- Ends of several sessions, by the user's name, or '*' for everyone. src/identity/session-marks.ts has the rules.
CREATE TABLE session_marks (
  name TEXT PRIMARY KEY,
  until INTEGER NOT NULL,
  except_id TEXT NOT NULL,
  excepted_until INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX session_marks_by_end ON session_marks (expires_at);

-- What was written, in order: the names of rows that Redis must have. A row that is written again moves to the end.
CREATE TABLE session_journal (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL CHECK (kind IN ('record', 'tombstone', 'mark')),
  name TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  UNIQUE (kind, name)
) STRICT;

CREATE INDEX session_journal_by_end ON session_journal (expires_at);

CREATE TRIGGER session_record_written AFTER INSERT ON session_records BEGIN
  DELETE FROM session_journal WHERE kind = 'record' AND name = new.id;
  INSERT INTO session_journal (kind, name, expires_at) VALUES ('record', new.id, new.expires_at);
END;

CREATE TRIGGER session_record_changed AFTER UPDATE OF text ON session_records BEGIN
  DELETE FROM session_journal WHERE kind = 'record' AND name = new.id;
  INSERT INTO session_journal (kind, name, expires_at) VALUES ('record', new.id, new.expires_at);
END;

CREATE TRIGGER session_record_gone AFTER DELETE ON session_records BEGIN
  DELETE FROM session_journal WHERE kind = 'record' AND name = old.id;
END;

CREATE TRIGGER session_ended AFTER INSERT ON session_tombstones BEGIN
  DELETE FROM session_records WHERE id = new.id;
  DELETE FROM session_journal WHERE kind = 'tombstone' AND name = new.id;
  INSERT INTO session_journal (kind, name, expires_at) VALUES ('tombstone', new.id, new.expires_at);
END;

CREATE TRIGGER session_mark_written AFTER INSERT ON session_marks BEGIN
  DELETE FROM session_journal WHERE kind = 'mark' AND name = new.name;
  INSERT INTO session_journal (kind, name, expires_at) VALUES ('mark', new.name, new.expires_at);
END;

CREATE TRIGGER session_mark_changed AFTER UPDATE ON session_marks BEGIN
  DELETE FROM session_journal WHERE kind = 'mark' AND name = new.name;
  INSERT INTO session_journal (kind, name, expires_at) VALUES ('mark', new.name, new.expires_at);
END;
