-- +goose Up
-- act/findings: what rules and indicators saw in events, folded. techniques and matched are JSON; first and last are the events' times.
CREATE TABLE detections (
  id INTEGER PRIMARY KEY, org TEXT NOT NULL, fingerprint TEXT NOT NULL, kind TEXT NOT NULL, rule TEXT NOT NULL, title TEXT NOT NULL,
  level TEXT NOT NULL, urgency BIGINT NOT NULL, techniques TEXT NOT NULL, host TEXT NOT NULL, matched TEXT NOT NULL, indicator TEXT NOT NULL,
  indicated_by TEXT NOT NULL, count BIGINT NOT NULL, first BIGINT NOT NULL, last BIGINT NOT NULL, source TEXT NOT NULL, record BIGINT NOT NULL,
  noticed BIGINT NOT NULL, UNIQUE (org, fingerprint)
);
CREATE INDEX detections_last ON detections (org, last);
