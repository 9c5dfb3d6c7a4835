-- +goose Up
-- know/match: which source's list of installs, or who answers for an asset on it, changed how often. Who keeps lists in memory
-- sees by it which to read again.
CREATE TABLE list_turns (source BIGINT PRIMARY KEY, turn BIGINT NOT NULL);
INSERT INTO list_turns (source, turn) SELECT id, 1 FROM sources;
