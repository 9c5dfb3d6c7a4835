-- +goose Up
-- know/estate: devices told apart across tools, what scanners say, and who looked.
ALTER TABLE assets ADD COLUMN merged_into BIGINT; -- the asset under which this one is shown; NULL: itself
ALTER TABLE presence ADD COLUMN listed_as BIGINT; -- the asset that the source named, where that is merged; NULL: this one. An
                                                  -- install lies within one interval of presence, so this tells for both
CREATE INDEX assets_merged ON assets (operator, merged_into) WHERE merged_into IS NOT NULL;
CREATE TABLE identifiers ( -- what each source last gave to know a device by, under the asset that it named
  source BIGINT NOT NULL, asset BIGINT NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL, operator TEXT NOT NULL,
  PRIMARY KEY (source, asset, kind, value)
) WITHOUT ROWID;
CREATE INDEX identifiers_operator ON identifiers (operator, asset, kind, value);
CREATE TABLE merges (
  id INTEGER PRIMARY KEY, operator TEXT NOT NULL, kept BIGINT NOT NULL, merged BIGINT NOT NULL, rule TEXT NOT NULL,
  why TEXT NOT NULL, state TEXT NOT NULL, at BIGINT NOT NULL, by_name TEXT NOT NULL, decided_at BIGINT,
  decided_by TEXT NOT NULL, reason TEXT NOT NULL,
  answered TEXT NOT NULL -- who answered for the merged asset before, as JSON
);
CREATE INDEX merges_kept ON merges (kept, state);
CREATE INDEX merges_merged ON merges (merged, state);
CREATE INDEX merges_operator ON merges (operator, state, id);
CREATE TABLE asset_clients ( -- the operator's own list names these organisations as accountable
  asset BIGINT NOT NULL, org TEXT NOT NULL, source BIGINT NOT NULL, PRIMARY KEY (asset, org, source)
) WITHOUT ROWID;
CREATE INDEX asset_clients_source ON asset_clients (source);
CREATE TABLE scanner_findings ( -- last_seen as in installs
  source BIGINT NOT NULL, asset BIGINT NOT NULL, cve TEXT NOT NULL, plugin TEXT NOT NULL, port TEXT NOT NULL,
  first_seen BIGINT NOT NULL, last_seen BIGINT, title TEXT NOT NULL, output TEXT NOT NULL, severity TEXT NOT NULL,
  PRIMARY KEY (source, asset, cve, plugin, port, first_seen)
) WITHOUT ROWID;
CREATE INDEX scanner_findings_asset ON scanner_findings (asset, cve);
CREATE INDEX scanner_findings_cve ON scanner_findings (cve, asset);
CREATE TABLE looks ( -- hour in microseconds, at the first look within it
  org TEXT NOT NULL, hour BIGINT NOT NULL, person TEXT NOT NULL, subject TEXT NOT NULL, name TEXT NOT NULL, at BIGINT NOT NULL,
  PRIMARY KEY (org, hour, person, subject)
) WITHOUT ROWID;
