-- +goose Up
-- know/match: verdicts that depend on what else an asset runs. Such a verdict waits for a condition; assets on which the
-- condition stands alike are one platform, on which a verdict of its own is kept.
CREATE TABLE conditions ( -- what verdicts on an identity wait for; body is the CPE conditions as JSON
  id INTEGER PRIMARY KEY, software BIGINT NOT NULL, digest TEXT NOT NULL, body TEXT NOT NULL, UNIQUE (software, digest)
);
CREATE TABLE platforms ( -- stands: which parts of the condition hold; members: software that makes it so, as JSON
  id INTEGER PRIMARY KEY, condition BIGINT NOT NULL, stands TEXT NOT NULL, members TEXT NOT NULL,
  UNIQUE (condition, stands)
);
CREATE TABLE placements ( -- when an asset was of a platform; follows from its installs alone
  platform BIGINT NOT NULL, asset BIGINT NOT NULL, since BIGINT NOT NULL, until BIGINT,
  PRIMARY KEY (platform, asset, since)
) WITHOUT ROWID;
CREATE INDEX placements_asset ON placements (asset);

CREATE TABLE settled_verdicts (
  cve TEXT NOT NULL, software BIGINT NOT NULL, since BIGINT NOT NULL, until BIGINT, status TEXT NOT NULL,
  basis TEXT NOT NULL, confidence TEXT NOT NULL, source TEXT NOT NULL, fixed TEXT NOT NULL, why TEXT NOT NULL,
  platform BIGINT NOT NULL DEFAULT 0, -- of the assets that it is about; 0: whatever else they run
  waits BIGINT NOT NULL DEFAULT 0,    -- the condition that decides it on each asset: then the verdicts on platforms hold
  PRIMARY KEY (cve, software, platform, since)
);
INSERT INTO settled_verdicts (cve, software, since, until, status, basis, confidence, source, fixed, why)
  SELECT cve, software, since, until, status, basis, confidence, source, fixed, why FROM verdicts;
DROP TABLE verdicts;
ALTER TABLE settled_verdicts RENAME TO verdicts;
CREATE INDEX verdicts_software ON verdicts (software, status);
CREATE INDEX verdicts_waits ON verdicts (waits) WHERE waits <> 0;
-- What stands is looked at once more: it may have waited for what else an asset runs.
INSERT INTO pending (room, subject, since, turn) SELECT DISTINCT 'match', 'cve:' || cve, 0, 1 FROM verdicts WHERE until IS NULL
  ON CONFLICT DO NOTHING;
