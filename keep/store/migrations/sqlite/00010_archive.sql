-- +goose Up
-- watch/archive: which blocks of events are kept, and how far each reader of the bus has come.
CREATE TABLE blocks ( -- name and index_name are objects in the bucket; times are those of the events in it
  id INTEGER PRIMARY KEY, org TEXT NOT NULL, name TEXT NOT NULL UNIQUE, index_name TEXT NOT NULL, day BIGINT NOT NULL,
  rows BIGINT NOT NULL, bytes BIGINT NOT NULL, first BIGINT NOT NULL, last BIGINT NOT NULL, received BIGINT NOT NULL,
  state TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', sealed BIGINT NOT NULL
);
CREATE INDEX blocks_org ON blocks (org, received);
CREATE INDEX blocks_day ON blocks (day, id);
CREATE TABLE bus_cursors ( -- everything up to the sequence was read and is kept elsewhere
  reader TEXT NOT NULL, shard BIGINT NOT NULL, sequence BIGINT NOT NULL, PRIMARY KEY (reader, shard)
) WITHOUT ROWID;
