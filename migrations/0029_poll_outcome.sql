-- A connection was said to be polled "just now" while every poll failed: polled_at is the last attempt.
alter table tandem.connections
  -- When a poll last came through; null: none has.
  add column polled_well_at timestamptz,
  -- Why the last attempt failed, for people; null: it came through.
  add column poll_error text;

update tandem.connections set polled_well_at = polled_at;
