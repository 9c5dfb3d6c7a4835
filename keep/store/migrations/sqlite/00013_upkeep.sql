-- +goose Up
-- watch/archive: what kinds of events a block has (product/service/category, one a line), when it was last read from end to end, since when
-- another took its place or it is being deleted; what must not be deleted; and what was.
ALTER TABLE blocks ADD COLUMN kinds TEXT NOT NULL DEFAULT '';
ALTER TABLE blocks ADD COLUMN verified BIGINT NOT NULL DEFAULT 0;
ALTER TABLE blocks ADD COLUMN ended BIGINT NOT NULL DEFAULT 0;
CREATE INDEX blocks_state ON blocks (state, org, day);
CREATE TABLE holds ( -- org and kind: empty for all; since and until: times of events, 0 for no bound; released: 0 while it holds
  id INTEGER PRIMARY KEY, org TEXT NOT NULL, kind TEXT NOT NULL, since BIGINT NOT NULL, until BIGINT NOT NULL, reason TEXT NOT NULL,
  set_at BIGINT NOT NULL, set_by TEXT NOT NULL, released BIGINT NOT NULL DEFAULT 0, released_by TEXT NOT NULL DEFAULT ''
);
CREATE TABLE deletions ( -- chain: SHA-256 over the one before it and every other column but removed, in hexadecimal digits
  id INTEGER PRIMARY KEY, at BIGINT NOT NULL, org TEXT NOT NULL, block TEXT NOT NULL, rows BIGINT NOT NULL, first BIGINT NOT NULL,
  last BIGINT NOT NULL, kinds TEXT NOT NULL, why TEXT NOT NULL, chain TEXT NOT NULL, removed BIGINT NOT NULL DEFAULT 0
);
