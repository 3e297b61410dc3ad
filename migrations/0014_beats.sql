-- A database can be set back where it is: recovered to an earlier time, or taken over by a replica that
-- lacked the last transactions. Whoever works on it remembers the last beat that it saw committed.
create table tandem.beats (
  host uuid primary key,
  at timestamptz not null
);

alter table tandem.instance
  -- Why nothing may be worked on until somebody approves, told by the first that missed its beat.
  add column set_back text;
