-- Hooks that are to follow a commit, and records' own writes in the ledger.

-- Noted by the transaction that wrote the record, and removed when the hook has run: only mappings
-- with such a hook write here.
create table tandem.after_commits (
  id bigint generated always as identity primary key,
  integration text not null,
  resource_type text not null,
  record_type text not null,
  record_id text not null,
  op text not null check (op in ('insert', 'update', 'delete')),
  -- Of a delete: the row as it was.
  old_record jsonb,
  event_id uuid not null,
  attempts integer not null default 0,
  run_at timestamptz not null default tandem.now()
);
create index after_commits_due on tandem.after_commits (run_at, id);

-- Columns before and after: {"title": {"from": "A", "to": "B"}}. Tables with a journal only.
alter table tandem.changes add column journal jsonb;

-- A record's own write belongs to no lane, connection or resource.
alter table tandem.events_ended
  alter column lane_id drop not null,
  alter column connection_id drop not null,
  alter column resource_type drop not null,
  alter column integration_record_type drop not null,
  alter column epoch drop not null,
  add constraint events_ended_lane check ((lane_id is null) = (reason = 'journaled'));
create index events_ended_journal on tandem.events_ended (record_type, record_id, id)
  where lane_id is null;
