-- +goose Up
-- watch/ingest: who may send events, known by a token (its SHA-256) or a certificate (the SHA-256 of its DER), in hexadecimal digits.
CREATE TABLE senders (
  id TEXT PRIMARY KEY, org TEXT NOT NULL, name TEXT NOT NULL, token TEXT UNIQUE, certificate TEXT UNIQUE, created BIGINT NOT NULL, revoked BIGINT
);
