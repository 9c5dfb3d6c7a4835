-- +goose Up
-- The desks: desk is an organisation's code, empty for the national one. What waits at a desk is worked out from what
-- stands, so only what people decided about it is kept.
CREATE TABLE desk_items (
  desk TEXT NOT NULL, item TEXT NOT NULL, owner TEXT NOT NULL, owner_name TEXT NOT NULL, taken BIGINT,
  mark TEXT NOT NULL, -- of the item when it was set aside: another mark shows it again
  aside BIGINT, -- when it was set aside
  until BIGINT, -- until when; NULL until it is another matter
  aside_by TEXT NOT NULL, words TEXT NOT NULL,
  title TEXT NOT NULL, -- of the item, to name it when it is over
  PRIMARY KEY (desk, item)
);
CREATE INDEX desk_items_until ON desk_items (desk, until) WHERE until IS NOT NULL;
CREATE TABLE desk_notes ( -- what people write into the watch log; what the product did is read from the audit record and the notices
  id INTEGER PRIMARY KEY, desk TEXT NOT NULL, at BIGINT NOT NULL, person TEXT NOT NULL, name TEXT NOT NULL,
  kind TEXT NOT NULL, item TEXT NOT NULL, org TEXT NOT NULL, alert TEXT NOT NULL, words TEXT NOT NULL
);
CREATE INDEX desk_notes_desk ON desk_notes (desk, at);
CREATE TABLE saved_views (
  id INTEGER PRIMARY KEY, desk TEXT NOT NULL, person TEXT NOT NULL, name TEXT NOT NULL, title TEXT NOT NULL,
  path TEXT NOT NULL, query TEXT NOT NULL, shared INTEGER NOT NULL, at BIGINT NOT NULL,
  UNIQUE (person, title)
);
CREATE INDEX saved_views_desk ON saved_views (desk, shared);

-- A shift is read by its time; held imports and lost messages are few among years of others.
CREATE INDEX audit_at ON audit (at);
CREATE INDEX notices_created ON notices (org, created);
CREATE INDEX response_entries_at ON response_entries (at);
CREATE INDEX imports_held ON imports (id) WHERE state = 'held';
CREATE INDEX deliveries_lost ON deliveries (alert, org) WHERE state IN ('bounced', 'failed', 'given_up');

-- +goose StatementBegin
CREATE TRIGGER desk_notes_is_append_only_update BEFORE UPDATE ON desk_notes BEGIN SELECT RAISE(ABORT, 'the watch log is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER desk_notes_is_append_only_delete BEFORE DELETE ON desk_notes BEGIN SELECT RAISE(ABORT, 'the watch log is append-only'); END;
-- +goose StatementEnd
-- A replacement deletes without asking the triggers of a deletion, so it is refused where it begins.
-- +goose StatementBegin
CREATE TRIGGER desk_notes_is_append_only_replace BEFORE INSERT ON desk_notes WHEN EXISTS (SELECT 1 FROM desk_notes WHERE id = NEW.id)
  BEGIN SELECT RAISE(ABORT, 'the watch log is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_is_append_only_replace BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
  BEGIN SELECT RAISE(ABORT, 'the audit record is append-only'); END;
-- +goose StatementEnd
