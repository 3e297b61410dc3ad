-- Rows that Tandem made in the app's table of users for authors nobody knew. They belong to no
-- connection: one user may write in many of them.
create table tandem.placeholders (
  -- The app's table of users, and the row's key in it.
  record_type text not null,
  record_id text not null,
  integration text not null,
  -- Whom it was made for, in lower case.
  login text not null,
  -- What was written beside the login: as long as the row says so, the app has not made it its own.
  written jsonb not null,
  made_by uuid not null,
  made_at timestamptz not null default tandem.now(),
  -- The user whose its records are, since somebody has the login.
  linked_to text,
  primary key (record_type, record_id)
);
-- Whoever resolves an author, and whoever connects a placeholder, asks by login.
create index placeholders_by_login on tandem.placeholders (record_type, integration, login);

-- Placeholders whose records are still to become a user's. A row goes when all of them have.
create table tandem.links (
  id bigint generated always as identity primary key,
  record_type text not null,
  integration text not null,
  login text not null,
  placeholder_id text not null,
  user_id text not null,
  -- From here on nobody resolves to the placeholder.
  connected boolean not null default false,
  attempts integer not null default 0,
  run_at timestamptz not null default tandem.now(),
  unique (record_type, placeholder_id, user_id)
);
create index links_due on tandem.links (run_at, id);

-- A record that takes the user in place of the placeholder is told in the ledger, and has no lane to
-- tell it in: not every record that names a user is synced.
alter table tandem.events_ended
  drop constraint events_ended_lane,
  add constraint events_ended_lane
    check ((lane_id is null) = (reason in ('journaled', 'author_linked')));
