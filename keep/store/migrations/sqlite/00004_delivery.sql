-- +goose Up
-- act/notify: who is told, by which address, and what became of each message.
ALTER TABLE notices ADD COLUMN urgency TEXT NOT NULL DEFAULT 'inbox';
ALTER TABLE notices ADD COLUMN rung TEXT NOT NULL DEFAULT '';
ALTER TABLE notices ADD COLUMN severity TEXT NOT NULL DEFAULT '';
ALTER TABLE notices ADD COLUMN exercise INTEGER NOT NULL DEFAULT 0;
ALTER TABLE notices ADD COLUMN asks INTEGER NOT NULL DEFAULT 0;
ALTER TABLE notices ADD COLUMN event TEXT NOT NULL DEFAULT '';
ALTER TABLE notices ADD COLUMN listed INTEGER NOT NULL DEFAULT 1; -- 0: digests and tests, which no inbox shows
ALTER TABLE notices ADD COLUMN digest BIGINT; -- NULL: not for a digest; 0: waits for one; else the notice that told it
CREATE INDEX notices_digest ON notices (org, id) WHERE digest = 0;
CREATE INDEX notices_event ON notices (org, event, rung) WHERE event <> '';

CREATE TABLE contacts ( -- org '' is the national desk; body is ward.Contact as JSON
  id INTEGER PRIMARY KEY, org TEXT NOT NULL, name TEXT NOT NULL, place INTEGER NOT NULL, version INTEGER NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX contacts_org ON contacts (org, place, id);
CREATE TABLE shifts (
  id INTEGER PRIMARY KEY, org TEXT NOT NULL, rung TEXT NOT NULL, contact BIGINT NOT NULL, since BIGINT NOT NULL,
  until BIGINT NOT NULL
);
CREATE INDEX shifts_now ON shifts (org, rung, until);
CREATE TABLE deliveries (
  id INTEGER PRIMARY KEY, message TEXT NOT NULL UNIQUE, notice BIGINT NOT NULL, kind TEXT NOT NULL, alert TEXT NOT NULL,
  org TEXT NOT NULL, contact BIGINT NOT NULL, name TEXT NOT NULL, rung TEXT NOT NULL, channel TEXT NOT NULL,
  address TEXT NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL, next_try BIGINT, opens BIGINT, -- opens: when the contact's hours begin, NULL: at once
  detail TEXT NOT NULL, receipt TEXT NOT NULL, created BIGINT NOT NULL, handed BIGINT, settled BIGINT,
  used BIGINT, used_by TEXT NOT NULL
);
CREATE INDEX deliveries_due ON deliveries (channel, next_try) WHERE next_try IS NOT NULL;
CREATE INDEX deliveries_alert ON deliveries (alert, org, id);
CREATE INDEX deliveries_notice ON deliveries (notice);
CREATE INDEX deliveries_contact ON deliveries (contact, id);
CREATE TABLE channels ( -- what the server that runs can carry; empty: every notice stays in its inbox
  name TEXT PRIMARY KEY
);
CREATE TABLE secrets ( -- made on first use, and never shown
  name TEXT PRIMARY KEY, value BLOB NOT NULL, at BIGINT NOT NULL
);
