-- +goose Up
-- know/intel: what analysts add to what publishers say, and what became of it -----------------------------------------------
CREATE TABLE product_aliases ( -- one product under two names; undone ones stay readable
  id TEXT PRIMARY KEY, vendor TEXT NOT NULL, product TEXT NOT NULL, product_key TEXT NOT NULL, other_vendor TEXT NOT NULL,
  other_product TEXT NOT NULL, other_key TEXT NOT NULL, reason TEXT NOT NULL, by_person TEXT NOT NULL, by_name TEXT NOT NULL,
  at BIGINT NOT NULL, undone BIGINT, undone_by TEXT NOT NULL
);
CREATE TABLE verdict_changes ( -- append-only: a verdict that became another because a source, a ruling or an alias did
  id INTEGER PRIMARY KEY, at BIGINT NOT NULL, cve TEXT NOT NULL, software BIGINT NOT NULL, was TEXT NOT NULL,
  was_source TEXT NOT NULL, became TEXT NOT NULL, -- '' when no source speaks of it any more
  became_source TEXT NOT NULL, words TEXT NOT NULL
);
CREATE INDEX verdict_changes_cve ON verdict_changes (cve, id);
CREATE INDEX verdict_changes_software ON verdict_changes (software, id);
CREATE INDEX reports_source ON reports (source, cve); -- a newer edition of a document takes back what it no longer says
CREATE TABLE feed_holds ( -- a reading that shrank too far: a person decides
  feed TEXT PRIMARY KEY, at BIGINT NOT NULL, location TEXT NOT NULL, file TEXT NOT NULL, records INTEGER NOT NULL,
  had INTEGER NOT NULL, observed BIGINT, state TEXT NOT NULL, -- held, released (the next reading may be smaller), discarded
  by_name TEXT NOT NULL
);
