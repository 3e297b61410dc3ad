-- Creates that leave under the token of the user who wrote the record. Code before it would take what
-- a user wrote in this way for somebody else's, and make a second record of it.
-- Needs code that knows migration 11.

alter table tandem.lanes
  -- How many creates have left for the intent, when the last did, and under which users' own tokens:
  -- what they wrote with our token in it may be ours.
  add column intent_posted jsonb;
