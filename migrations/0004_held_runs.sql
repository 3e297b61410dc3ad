-- Runs that would delete or overwrite a large share of a connection's records ask a person first.

create table tandem.held_runs (
  id bigint generated always as identity primary key,
  connection_id bigint not null references tandem.connections,
  kind text not null check (kind in ('id_sweep', 'local_sweep', 'reconcile', 'backfill')),
  state text not null check (state in ('held', 'approved', 'rejected', 'done', 'withdrawn')),
  deletes integer not null,
  overwrites integer not null,
  records integer not null,
  -- The first of what it would do.
  sample jsonb not null default '[]',
  created_at timestamptz not null default tandem.now(),
  ended_at timestamptz,
  check ((ended_at is null) = (state in ('held', 'approved', 'rejected')))
);
-- One of a kind is open in a connection, and only open ones are looked for.
create unique index held_runs_open on tandem.held_runs (connection_id, kind)
  where ended_at is null;

-- Tables that were emptied by TRUNCATE, which fires no row trigger: the local sweep looks at once.
-- No key or constraint here can fail a writer.
create table tandem.truncations (
  id bigint generated always as identity,
  record_type text
);

alter table tandem.connections add column local_swept_at timestamptz;
