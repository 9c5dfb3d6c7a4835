-- +goose Up
-- watch/archive/hunts: searches through kept events. org: whose hunt it is, empty for the national watch and the product; sought, orgs and behind are
-- JSON; times in microseconds, 0 for none. hunt_days says what was searched: a day of an organisation is searched as a whole or again. Hits are
-- copies of the first events that were found, and go after a while. known_indicators are those for which a look-back was begun, by hash.
CREATE TABLE hunts (
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, state TEXT NOT NULL, person TEXT NOT NULL, name TEXT NOT NULL, org TEXT NOT NULL, words TEXT NOT NULL,
  sought TEXT NOT NULL,  orgs TEXT NOT NULL, since BIGINT NOT NULL, until BIGINT NOT NULL, came_by BIGINT NOT NULL, behind TEXT NOT NULL, most_read BIGINT NOT NULL,
  asked BIGINT NOT NULL, started BIGINT NOT NULL DEFAULT 0, ended BIGINT NOT NULL DEFAULT 0, reason TEXT NOT NULL DEFAULT '',
  blocks BIGINT NOT NULL DEFAULT 0, done BIGINT NOT NULL DEFAULT 0, unread BIGINT NOT NULL DEFAULT 0, events BIGINT NOT NULL DEFAULT 0,
  read BIGINT NOT NULL DEFAULT 0, hits BIGINT NOT NULL DEFAULT 0, kept BIGINT NOT NULL DEFAULT 0, version BIGINT NOT NULL DEFAULT 1
);
CREATE INDEX hunts_state ON hunts (state);
CREATE TABLE hunt_days (
  hunt BIGINT NOT NULL, org TEXT NOT NULL, day BIGINT NOT NULL, blocks BIGINT NOT NULL, unread BIGINT NOT NULL, events BIGINT NOT NULL,
  read BIGINT NOT NULL, hits BIGINT NOT NULL, PRIMARY KEY (hunt, org, day)
);
CREATE TABLE hunt_hits (
  hunt BIGINT NOT NULL, number BIGINT NOT NULL, org TEXT NOT NULL, at BIGINT NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL, field TEXT NOT NULL,
  source TEXT NOT NULL, record BIGINT NOT NULL, host TEXT NOT NULL, raw TEXT NOT NULL, cut BIGINT NOT NULL, PRIMARY KEY (hunt, number)
);
CREATE TABLE known_indicators (hash BIGINT PRIMARY KEY);
