-- Backfills: where each is, so that a killed process goes on at the page where it was, and the keys
-- by which it pairs what exists on both sides.

create table tandem.backfills (
  connection_id bigint not null references tandem.connections,
  resource_type text not null,
  step text not null check (
    step in ('list', 'index_records', 'index_resources', 'pair', 'create', 'done')
  ),
  cursor text,
  pairs boolean not null,
  creates boolean not null,
  progress jsonb not null,
  started_at timestamptz not null default tandem.now(),
  run_at timestamptz not null default tandem.now(),
  leased_until timestamptz,
  finished_at timestamptz,
  primary key (connection_id, resource_type)
);

create table tandem.pairing_keys (
  connection_id bigint not null,
  resource_type text not null,
  side text not null check (side in ('record', 'resource')),
  id text not null,
  key text not null,
  label text not null,
  primary key (connection_id, resource_type, side, id)
);
-- Whoever has a key is looked up by it, and keys are gone through in their order.
create index pairing_keys_by_key on tandem.pairing_keys (connection_id, resource_type, key);

-- What the provider last said of an account's budget: workers share it.
alter table tandem.accounts
  add column rate_limit integer,
  add column rate_remaining integer,
  add column rate_resets_at timestamptz;

-- What waits for pairing is woken at its end, without reading the queue.
create index events_live_awaiting_pairing on tandem.events_live (connection_id)
  where state = 'queued' and reason = 'awaiting_pairing';
-- A backfill looks how much of its own is still to be done before it adds more.
create index events_live_backfilled on tandem.events_live (connection_id)
  where source = 'backfill' and state in ('queued', 'processing');
