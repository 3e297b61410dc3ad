-- A delivery may concern only the accounts whose secret it was signed with. Without this column a delivery
-- of one tenant could name a container of another one, and change the rows there (situation 67).
alter table tandem.deliveries
  -- Ids of accounts; null: stored by code that did not keep them.
  add column verified_by bigint[];

-- Logins of the dashboard, in the database so that every server knows them, and any of them can be ended.
create table tandem.sessions (
  -- Digest of what the cookie holds: who reads this table cannot log in with it.
  id text primary key,
  -- Digest of the API token it was opened with: another token ends it.
  token_digest text not null,
  origin text not null,
  created_at timestamptz not null default tandem.now(),
  used_at timestamptz not null default tandem.now()
);

-- Acts of people, by the API and the command line. Appended to and never changed.
create table tandem.audit (
  id bigint generated always as identity primary key,
  at timestamptz not null default tandem.now(),
  -- A login of the dashboard, the API's token, a user of the command line.
  actor text not null,
  -- Such as `connection.pause` or `login`.
  act text not null,
  -- What it was done to, such as a connection's id; empty where there is no one thing.
  subject text not null,
  -- The address that the request came from, or `command line`.
  origin text not null,
  -- The HTTP status that answered it.
  status integer not null
);
