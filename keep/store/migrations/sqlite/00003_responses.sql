-- +goose Up
-- Outcomes, compromise checks, and the ladder of reminders of answers.
ALTER TABLE responses ADD COLUMN outcome TEXT NOT NULL DEFAULT '';
ALTER TABLE responses ADD COLUMN until BIGINT; -- when a closed answer is looked at again; NULL when it is not
ALTER TABLE responses ADD COLUMN checked TEXT NOT NULL DEFAULT ''; -- owed: a compromise check is; desk: the national desk has it
ALTER TABLE responses ADD COLUMN remind BIGINT; -- when the next word about its clock is due to somebody; NULL when none is
UPDATE responses SET remind = due WHERE due IS NOT NULL AND (told IS NULL OR told < due);
CREATE INDEX responses_until ON responses (until) WHERE until IS NOT NULL;
CREATE INDEX responses_remind ON responses (remind) WHERE remind IS NOT NULL;
CREATE INDEX responses_checked ON responses (checked) WHERE checked <> '';
CREATE TABLE delegations ( -- where an organisation decided otherwise than its relations say who may answer for it
  org TEXT NOT NULL, delegate TEXT NOT NULL, allowed INTEGER NOT NULL, at BIGINT NOT NULL, by_name TEXT NOT NULL,
  PRIMARY KEY (org, delegate)
);
-- Holds all that answers are counted by, in the order in which they are grouped, so that an overview of a year reads no body.
CREATE INDEX responses_counted ON responses (alert, state, exposure, exposure_now, proof, closed_as, outcome, checked, ever_overdue, (claimed IS NOT NULL), due, org);
