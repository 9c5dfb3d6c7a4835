-- +goose Up
-- watch/coverage: who sends events, and how. A row without source is a kind of an organisation, one without kind too the whole organisation.
-- last_event is what the last event says of itself; first, last and quiet (since when it is; 0: it speaks) are by our clock.
CREATE TABLE event_sources (
  org TEXT NOT NULL, source TEXT NOT NULL, kind TEXT NOT NULL, first BIGINT NOT NULL, last BIGINT NOT NULL, last_event BIGINT NOT NULL,
  events BIGINT NOT NULL, bytes BIGINT NOT NULL, quiet BIGINT NOT NULL DEFAULT 0, PRIMARY KEY (org, source, kind)
) WITHOUT ROWID;
-- counts and gaps: 24 numbers, one an hour of the day (UTC): events, and the longest gap in seconds that ended in it. late: microseconds from
-- event to us, all together; fastest: the least of them, negative where the sender's clock is ahead.
CREATE TABLE source_days (
  org TEXT NOT NULL, source TEXT NOT NULL, kind TEXT NOT NULL, day BIGINT NOT NULL, counts TEXT NOT NULL, gaps TEXT NOT NULL, bytes BIGINT NOT NULL,
  dated BIGINT NOT NULL, late BIGINT NOT NULL, fastest BIGINT NOT NULL, PRIMARY KEY (org, source, kind, day)
) WITHOUT ROWID;
CREATE INDEX source_days_day ON source_days (day);
CREATE TABLE dead_letters ( -- the newest of an organisation
  id INTEGER PRIMARY KEY, at BIGINT NOT NULL, org TEXT NOT NULL, source TEXT NOT NULL, reason TEXT NOT NULL, sample TEXT NOT NULL, count BIGINT NOT NULL
);
CREATE INDEX dead_letters_org ON dead_letters (org, id);
CREATE TABLE unread ( org TEXT NOT NULL, day BIGINT NOT NULL, count BIGINT NOT NULL, PRIMARY KEY (org, day) ) WITHOUT ROWID;
CREATE TABLE listening ( since BIGINT PRIMARY KEY, until BIGINT NOT NULL ); -- when events were taken in
ALTER TABLE detections ADD COLUMN ended BIGINT NOT NULL DEFAULT 0; -- of silences: when the source spoke again
-- news: when there was something new to see of it by our clock or the events', so that what is found late stands first.
ALTER TABLE detections ADD COLUMN news BIGINT NOT NULL DEFAULT 0;
UPDATE detections SET news = CASE WHEN noticed > last THEN noticed ELSE last END;
CREATE INDEX detections_news ON detections (news, id);
