-- +goose Up
-- Shared subset of SQLite and PostgreSQL: text ids but for assets, software, sources and imports, which are counted in
-- millions; times are integer microseconds UTC, NULL for "not yet"; lists and bodies are JSON text.

-- know/estate -----------------------------------------------------------------------------------------------------------
CREATE TABLE organisations (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, town TEXT NOT NULL, postcode TEXT NOT NULL,
  country TEXT NOT NULL, board TEXT NOT NULL, region TEXT NOT NULL, latitude REAL NOT NULL, longitude REAL NOT NULL,
  opened BIGINT, closed BIGINT
);
CREATE TABLE relations (
  from_org TEXT NOT NULL, kind TEXT NOT NULL, to_org TEXT NOT NULL, since BIGINT NOT NULL, until BIGINT,
  PRIMARY KEY (from_org, kind, to_org, since)
);
CREATE TABLE sites (
  id TEXT PRIMARY KEY, org TEXT NOT NULL, name TEXT NOT NULL, postcode TEXT NOT NULL, latitude REAL NOT NULL,
  longitude REAL NOT NULL
);
CREATE INDEX sites_org ON sites (org);
CREATE TABLE mappings ( -- saved header mappings of CSV inventories
  org TEXT NOT NULL, source TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (org, source)
);
CREATE TABLE assets (
  id INTEGER PRIMARY KEY, operator TEXT NOT NULL, name TEXT NOT NULL, name_key TEXT NOT NULL, class TEXT NOT NULL,
  site TEXT NOT NULL, reachable INTEGER NOT NULL, data TEXT NOT NULL, services TEXT NOT NULL, first_seen BIGINT NOT NULL,
  UNIQUE (operator, name_key)
);
CREATE INDEX assets_name ON assets (name_key, id);
CREATE TABLE asset_orgs ( -- everyone who answers for an asset: its accountable organisations and its operator
  org TEXT NOT NULL, asset BIGINT NOT NULL, accountable INTEGER NOT NULL, operates INTEGER NOT NULL,
  name_key TEXT NOT NULL, PRIMARY KEY (org, asset) -- name_key as in assets, so that an organisation's list is in order
);
CREATE INDEX asset_orgs_asset ON asset_orgs (asset);
CREATE INDEX asset_orgs_name ON asset_orgs (org, name_key, asset);
CREATE TABLE software (
  id INTEGER PRIMARY KEY, identity TEXT NOT NULL UNIQUE, vendor TEXT NOT NULL, product TEXT NOT NULL,
  version TEXT NOT NULL, cpe TEXT NOT NULL, purl TEXT NOT NULL
);
CREATE TABLE software_products ( -- postings: the product keys (know.ProductKeys) by which an identity can be matched
  product_key TEXT NOT NULL, software BIGINT NOT NULL, PRIMARY KEY (product_key, software)
);
CREATE TABLE sources (
  id INTEGER PRIMARY KEY, org TEXT NOT NULL, name TEXT NOT NULL, format TEXT NOT NULL, grade TEXT NOT NULL,
  classes TEXT NOT NULL, observed_at BIGINT NOT NULL, assets INTEGER NOT NULL, UNIQUE (org, name)
);
CREATE TABLE imports (
  id INTEGER PRIMARY KEY, source BIGINT NOT NULL, digest TEXT NOT NULL, observed_at BIGINT NOT NULL,
  received_at BIGINT NOT NULL, by_name TEXT NOT NULL, state TEXT NOT NULL, row_count INTEGER NOT NULL,
  rejected INTEGER NOT NULL, problems TEXT NOT NULL, assets INTEGER NOT NULL, added INTEGER NOT NULL,
  gone INTEGER NOT NULL, assets_lost INTEGER NOT NULL, delivery TEXT NOT NULL, -- how to read it again
  body BLOB -- gzip of the input, kept only while held
);
CREATE INDEX imports_source ON imports (source, received_at);
CREATE TABLE presence ( -- assets as each source lists them, with what it says of them: last_seen NULL while its newest import lists it
  source BIGINT NOT NULL, asset BIGINT NOT NULL, first_seen BIGINT NOT NULL, last_seen BIGINT, class TEXT NOT NULL,
  site TEXT NOT NULL, reachable INTEGER NOT NULL, data TEXT NOT NULL, services TEXT NOT NULL,
  PRIMARY KEY (source, asset, first_seen)
) WITHOUT ROWID;
CREATE INDEX presence_asset ON presence (asset, last_seen);
CREATE TABLE installs ( -- last_seen NULL while the source's newest import lists it; else the last import that did
  software BIGINT NOT NULL, asset BIGINT NOT NULL, source BIGINT NOT NULL, first_seen BIGINT NOT NULL, last_seen BIGINT,
  PRIMARY KEY (source, asset, software, first_seen) -- an import appends; the installs of an asset are found by its presence
) WITHOUT ROWID;
CREATE INDEX installs_software ON installs (software, last_seen, asset);
CREATE TABLE declarations (
  id TEXT PRIMARY KEY, org TEXT NOT NULL, vendor TEXT NOT NULL, product TEXT NOT NULL, product_key TEXT NOT NULL,
  answer TEXT NOT NULL, version TEXT NOT NULL, asset TEXT NOT NULL, class TEXT NOT NULL, reachable INTEGER NOT NULL,
  host TEXT NOT NULL, words TEXT NOT NULL, by_person TEXT NOT NULL, by_name TEXT NOT NULL, at BIGINT NOT NULL,
  expires BIGINT NOT NULL
);
CREATE INDEX declarations_org ON declarations (org, product_key, at);

-- know/feeds, know/intel ------------------------------------------------------------------------------------------------
CREATE TABLE feeds (
  name TEXT PRIMARY KEY, location TEXT NOT NULL, etag TEXT NOT NULL, last_modified TEXT NOT NULL, attempted BIGINT,
  succeeded BIGINT, observed BIGINT, next_due BIGINT, records INTEGER NOT NULL, changed INTEGER NOT NULL,
  rejected INTEGER NOT NULL, last_error TEXT NOT NULL, cursor TEXT NOT NULL
);
CREATE TABLE reports ( -- one source's newest word on one weakness; body is know.Report as JSON
  cve TEXT NOT NULL, source TEXT NOT NULL, url TEXT NOT NULL, observed_at BIGINT NOT NULL, modified BIGINT,
  digest TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (cve, source)
);
CREATE TABLE report_products (
  product_key TEXT NOT NULL, cve TEXT NOT NULL, source TEXT NOT NULL, PRIMARY KEY (product_key, cve, source)
);
CREATE INDEX report_products_cve ON report_products (cve, source);
CREATE TABLE vulnerabilities ( -- the facts merged for reading; body is ward.Vulnerability as JSON, without the EPSS
  id TEXT PRIMARY KEY, title TEXT NOT NULL, published BIGINT NOT NULL, -- 0 when not known: it orders the list
  modified BIGINT, exploited_since BIGINT, ssvc TEXT NOT NULL, cvss REAL NOT NULL, rejected INTEGER NOT NULL,
  words TEXT NOT NULL, -- lower case: what a search finds it by
  body TEXT NOT NULL
);
-- Holds the words, so that a search reads the index alone and not the bodies.
CREATE INDEX vulnerabilities_published ON vulnerabilities (published, id, words);
CREATE INDEX vulnerabilities_exploited ON vulnerabilities (published, id, words) WHERE exploited_since IS NOT NULL;
CREATE TABLE epss (
  cve TEXT PRIMARY KEY, score REAL NOT NULL, percentile REAL NOT NULL, day BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE pending ( -- work that a committed change has left for another room, done by its job
  room TEXT NOT NULL, subject TEXT NOT NULL, since BIGINT NOT NULL,
  turn BIGINT NOT NULL, -- how often it was marked
  PRIMARY KEY (room, subject)
);

-- know/match ------------------------------------------------------------------------------------------------------------
CREATE TABLE verdicts (
  cve TEXT NOT NULL, software BIGINT NOT NULL, since BIGINT NOT NULL, until BIGINT, status TEXT NOT NULL,
  basis TEXT NOT NULL, confidence TEXT NOT NULL, source TEXT NOT NULL, fixed TEXT NOT NULL, why TEXT NOT NULL,
  PRIMARY KEY (cve, software, since)
);
CREATE INDEX verdicts_software ON verdicts (software, status);
CREATE TABLE exposures ( -- written down only when a finding, response or incident cites them
  cited_kind TEXT NOT NULL, cited TEXT NOT NULL, org TEXT NOT NULL, asset BIGINT NOT NULL, cve TEXT NOT NULL,
  software BIGINT NOT NULL, source TEXT NOT NULL, grade TEXT NOT NULL, fixed TEXT NOT NULL, why TEXT NOT NULL,
  first_seen BIGINT NOT NULL, last_seen BIGINT NOT NULL, ended TEXT NOT NULL,
  PRIMARY KEY (cited_kind, cited, org, asset, cve, software)
);
CREATE INDEX exposures_org ON exposures (org, cve);
CREATE TABLE rulings (
  id TEXT PRIMARY KEY, cves TEXT NOT NULL, vendor TEXT NOT NULL, product TEXT NOT NULL, versions TEXT NOT NULL,
  status TEXT NOT NULL, reason TEXT NOT NULL, by_person TEXT NOT NULL, by_name TEXT NOT NULL, at BIGINT NOT NULL,
  undone BIGINT
);

-- act -------------------------------------------------------------------------------------------------------------------
CREATE TABLE findings (
  id TEXT PRIMARY KEY, org TEXT NOT NULL, vendor TEXT NOT NULL, product TEXT NOT NULL, product_key TEXT NOT NULL,
  branch TEXT NOT NULL, fix TEXT NOT NULL, cves TEXT NOT NULL, assets INTEGER NOT NULL, state TEXT NOT NULL,
  ended TEXT NOT NULL, replaces TEXT NOT NULL, first_seen BIGINT NOT NULL, last_seen BIGINT NOT NULL, rank TEXT NOT NULL,
  priority TEXT NOT NULL
);
CREATE INDEX findings_queue ON findings (state, rank, id);
CREATE INDEX findings_org ON findings (org, state, rank, id);
CREATE INDEX findings_product ON findings (product_key, org, state);
-- Holds all that the list of updates is made from, in the order in which it is grouped.
CREATE INDEX findings_fix ON findings (state, product_key, branch, fix, rank, id, org, assets, first_seen, vendor, product);
CREATE TABLE finding_cves (cve TEXT NOT NULL, finding TEXT NOT NULL, PRIMARY KEY (cve, finding));
CREATE INDEX finding_cves_finding ON finding_cves (finding);
CREATE TABLE counters (name TEXT PRIMARY KEY, value BIGINT NOT NULL);
CREATE TABLE alerts ( -- body is ward.Alert as JSON
  id TEXT PRIMARY KEY, version INTEGER NOT NULL, state TEXT NOT NULL, severity TEXT NOT NULL, title TEXT NOT NULL,
  created BIGINT NOT NULL, issued BIGINT, body TEXT NOT NULL
);
CREATE INDEX alerts_state ON alerts (state, issued);
CREATE TABLE alert_cves (cve TEXT NOT NULL, alert TEXT NOT NULL, PRIMARY KEY (cve, alert));
CREATE TABLE alert_versions ( -- every version stays readable
  alert TEXT NOT NULL, version INTEGER NOT NULL, at BIGINT NOT NULL, by_person TEXT NOT NULL, by_name TEXT NOT NULL,
  wrote INTEGER NOT NULL, body TEXT NOT NULL, -- wrote: 1 when this version changed the text, which bars its writer from approving
  PRIMARY KEY (alert, version)
);
CREATE TABLE responses (
  alert TEXT NOT NULL, org TEXT NOT NULL, version INTEGER NOT NULL, state TEXT NOT NULL,
  exposure TEXT NOT NULL, exposure_now TEXT NOT NULL, -- as at publication, and as last worked out
  proof TEXT NOT NULL, claimed BIGINT, closed BIGINT, closed_as TEXT NOT NULL,
  due BIGINT, -- the next thing owed: acknowledge by, then next update; NULL when nothing is
  told BIGINT, -- the due time that was last told to be overdue
  ever_overdue INTEGER NOT NULL, body TEXT NOT NULL, -- ward.Response as JSON
  PRIMARY KEY (alert, org)
);
CREATE INDEX responses_org ON responses (org, closed);
CREATE INDEX responses_due ON responses (due);
CREATE INDEX responses_proof ON responses (proof);
CREATE TABLE response_entries (
  id INTEGER PRIMARY KEY, alert TEXT NOT NULL, org TEXT NOT NULL, at BIGINT NOT NULL, by_name TEXT NOT NULL,
  kind TEXT NOT NULL, words TEXT NOT NULL
);
CREATE INDEX response_entries_of ON response_entries (alert, org, id);
CREATE TABLE response_drafts (
  alert TEXT NOT NULL, org TEXT NOT NULL, person TEXT NOT NULL, at BIGINT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (alert, org, person)
);
CREATE TABLE notices (
  id INTEGER PRIMARY KEY, message TEXT NOT NULL UNIQUE, org TEXT NOT NULL, kind TEXT NOT NULL, alert TEXT NOT NULL,
  subject TEXT NOT NULL, body TEXT NOT NULL, link TEXT NOT NULL, created BIGINT NOT NULL, read_at BIGINT,
  read_by TEXT NOT NULL
);
CREATE INDEX notices_org ON notices (org, id);
CREATE INDEX notices_alert ON notices (alert, kind);

-- edge ------------------------------------------------------------------------------------------------------------------
CREATE TABLE people (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE, org TEXT NOT NULL, role TEXT NOT NULL,
  hash TEXT NOT NULL, must_change INTEGER NOT NULL, disabled INTEGER NOT NULL, created BIGINT NOT NULL
);
CREATE TABLE sessions (token TEXT PRIMARY KEY, data BLOB NOT NULL, expiry BIGINT NOT NULL);
CREATE INDEX sessions_expiry ON sessions (expiry);
CREATE TABLE tokens (
  id TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, person TEXT NOT NULL, name TEXT NOT NULL, created BIGINT NOT NULL,
  expires BIGINT NOT NULL, used BIGINT
);
CREATE INDEX tokens_person ON tokens (person);
CREATE TABLE audit (
  id INTEGER PRIMARY KEY, at BIGINT NOT NULL, person TEXT NOT NULL, name TEXT NOT NULL, action TEXT NOT NULL,
  subject TEXT NOT NULL, org TEXT NOT NULL, detail TEXT NOT NULL
);
CREATE INDEX audit_org ON audit (org, id);
CREATE TABLE idempotency ( -- answer NULL while the first request is being carried out
  person TEXT NOT NULL, name TEXT NOT NULL, request TEXT NOT NULL, answer BLOB, at BIGINT NOT NULL,
  PRIMARY KEY (person, name)
);
CREATE INDEX idempotency_at ON idempotency (at);

-- +goose StatementBegin
CREATE TRIGGER audit_is_append_only_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit record is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_is_append_only_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit record is append-only'); END;
-- +goose StatementEnd



