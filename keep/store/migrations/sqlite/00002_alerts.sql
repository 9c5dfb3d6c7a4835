-- +goose Up
CREATE TABLE alert_informed ( -- who reads an alert and owes nothing to it; who must answer has a response
  alert TEXT NOT NULL, org TEXT NOT NULL, PRIMARY KEY (alert, org)
);
CREATE INDEX alert_informed_org ON alert_informed (org);
CREATE TABLE alert_revisions ( -- a new text of a published alert that waits for a second person: one an alert
  alert TEXT PRIMARY KEY, version INTEGER NOT NULL, updated BIGINT NOT NULL, body TEXT NOT NULL -- ward.Revision as JSON
);
CREATE TABLE countersigns ( -- published by one person alone, while no second one has signed
  alert TEXT PRIMARY KEY, due BIGINT NOT NULL, told BIGINT -- when the duty officer was told that nobody signed in time
);
CREATE TABLE alert_templates (
  name TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL -- ward.Template as JSON
);
