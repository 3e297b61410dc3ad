-- Tandem's own schema: accounts and connections, deliveries, lanes with their integration records,
-- and the ledger of events. Nothing here refers to the app's tables.

create schema if not exists tandem;

-- All SQL time goes through this function, so that tests can move it.
create function tandem.now() returns timestamptz
language sql volatile as $$ select clock_timestamp() $$;

create table tandem.accounts (
  id bigint generated always as identity primary key,
  integration text not null,
  name text not null,
  -- Secrets may be named instead of stored: {"token": {"env": "GITHUB_TOKEN"}}
  credentials jsonb not null,
  -- Newest first, so that a secret can be rotated.
  webhook_secrets jsonb not null default '[]',
  state text not null default 'active' check (state in ('active', 'paused', 'needs_attention')),
  reason text,
  paused_until timestamptz,
  identity jsonb,
  -- Provider's clock minus ours, in microseconds.
  clock_offset bigint not null default 0,
  created_at timestamptz not null default tandem.now(),
  unique (integration, name)
);

create table tandem.connections (
  id bigint generated always as identity primary key,
  account_id bigint not null references tandem.accounts,
  integration text not null,
  -- The id that survives a rename; the name is for people.
  container_id text not null,
  container_name text not null,
  scope text not null,
  inbound boolean not null default true,
  outbound boolean not null default true,
  paused_reason text,
  high_water jsonb not null default '{}',
  etags jsonb not null default '{}',
  polled_at timestamptz,
  swept_at timestamptz,
  created_at timestamptz not null default tandem.now(),
  unique (integration, container_id, scope)
);
create index connections_by_scope on tandem.connections (integration, scope);

create table tandem.deliveries (
  id uuid primary key,
  integration text not null,
  -- The provider's id of the delivery: the same when it is delivered again.
  delivery_key text not null,
  event text not null,
  action text,
  payload text not null,
  state text not null default 'received'
    check (state in ('received', 'translated', 'irrelevant', 'failed')),
  reason text,
  error jsonb,
  times_received integer not null default 1,
  attempts integer not null default 0,
  run_at timestamptz not null default tandem.now(),
  received_at timestamptz not null default tandem.now(),
  translated_at timestamptz,
  unique (integration, delivery_key)
);
-- Only what still needs work is in it, so it stays small however long the history is.
create index deliveries_to_translate on tandem.deliveries (run_at, id)
  where state in ('received', 'failed');

-- One row per integration record, narrow: admission and claims lock it and read it often.
create table tandem.lanes (
  id bigint generated always as identity primary key,
  connection_id bigint not null references tandem.connections,
  resource_type text not null,
  record_type text not null,
  external_id text,
  record_id text,
  parent_type text,
  parent_external_id text,
  clock_at timestamptz,
  clock_event uuid,
  tombstone_at timestamptz,
  tombstone_event uuid,
  tombstone_side text check (tombstone_side in ('resource', 'record')),
  intent_token text,
  intent_since timestamptz,
  -- A create left without the token: until it is settled, unknown resources of ours wait.
  intent_tokenless boolean not null default false,
  awaiting_intent_until timestamptz,
  disabled text,
  epoch bigint not null default 0,
  created_at timestamptz not null default tandem.now()
) with (fillfactor = 80);
-- One counterpart: a resource has at most one lane in its connection ...
create unique index lanes_one_per_resource
  on tandem.lanes (connection_id, resource_type, external_id) where external_id is not null;
-- ... and a living record at most one per connection and resource type.
create unique index lanes_one_per_record
  on tandem.lanes (connection_id, record_type, record_id, resource_type)
  where record_id is not null and tombstone_event is null;
create index lanes_by_record on tandem.lanes (record_type, record_id);
create unique index lanes_by_token on tandem.lanes (intent_token) where intent_token is not null;
create index lanes_open_tokenless on tandem.lanes (connection_id, resource_type)
  where intent_tokenless and external_id is null;

-- What the lane knows of both sides, apart from the narrow row.
create table tandem.integration_records (
  id bigint primary key references tandem.lanes,
  copy jsonb,
  display jsonb not null default '{}',
  base jsonb,
  known jsonb,
  record_changed_at jsonb not null default '{}',
  attempt jsonb,
  unanswered jsonb not null default '[]',
  last_sent jsonb
) with (fillfactor = 80);

-- The queue: events that are not terminal. It holds at most a few rows a lane. Its rows are written
-- only under their lane's lock, so a foreign key would cost a look at the lane and tell nothing.
create table tandem.events_live (
  id uuid primary key,
  lane_id bigint not null,
  connection_id bigint not null,
  direction text not null check (direction in ('inbound', 'outbound')),
  action text not null check (action in ('upsert', 'delete')),
  source text not null,
  resource_type text not null,
  integration_external_id text,
  integration_updated_at timestamptz,
  integration_record_type text not null,
  record_type text not null,
  record_id text,
  state text not null check (state in ('queued', 'processing', 'errored', 'disabled')),
  reason text not null,
  canceled_by uuid,
  duplicate_of uuid,
  ignored_for_id text,
  ignored_for_type text,
  delivery_id uuid,
  content jsonb,
  digest text,
  changes jsonb not null default '[]',
  conflicts jsonb not null default '[]',
  error jsonb,
  attempts integer not null default 0,
  run_at timestamptz not null,
  lease_expires_at timestamptz,
  epoch bigint not null,
  worker text,
  reread boolean not null default false,
  deadline timestamptz,
  created_at timestamptz not null,
  started_at timestamptz,
  finished_at timestamptz
) with (fillfactor = 70);
create index events_live_by_lane on tandem.events_live (lane_id);
create unique index events_live_one_queued
  on tandem.events_live (lane_id, direction) where state = 'queued';
create unique index events_live_one_processing
  on tandem.events_live (lane_id) where state = 'processing';
create index events_live_due on tandem.events_live (run_at, id) where state = 'queued';
-- What waits for somebody or something is found without reading the queue.
create index events_live_at_rest on tandem.events_live (connection_id, state, lane_id)
  where state in ('errored', 'disabled');
create index events_live_errored_by_delivery on tandem.events_live (delivery_id)
  where state = 'errored';
create index events_live_awaiting_parent on tandem.events_live (connection_id)
  where state = 'queued' and reason = 'awaiting_parent';
create index events_live_awaiting_intent on tandem.events_live (connection_id)
  where state = 'queued' and reason = 'awaiting_intent';

-- The ledger: events that ended. Appended to and never changed; retention drops partitions.
create table tandem.events_ended (
  like tandem.events_live including defaults
) partition by range (finished_at);
-- A record's own write, journaled, belongs to no lane, connection or resource.
alter table tandem.events_ended
  alter column finished_at set not null,
  alter column lane_id drop not null,
  alter column connection_id drop not null,
  alter column resource_type drop not null,
  alter column integration_record_type drop not null,
  alter column epoch drop not null,
  add constraint events_ended_state
    check (state in ('completed', 'ignored', 'duplicate', 'canceled')),
  add constraint events_ended_lane check ((lane_id is null) = (reason = 'journaled'));
create table tandem.events_ended_default partition of tandem.events_ended default;
create index events_ended_by_id on tandem.events_ended (id);
create index events_ended_by_lane on tandem.events_ended (lane_id, id);
create index events_ended_journal on tandem.events_ended (record_type, record_id, id)
  where lane_id is null;

create view tandem.events as
  select
    id, direction, action, source, connection_id,
    integration_external_id, integration_updated_at,
    lane_id as integration_record_id, integration_record_type,
    record_id, record_type, state, reason,
    canceled_by, duplicate_of, ignored_for_id, ignored_for_type,
    delivery_id, content, digest, changes, conflicts, error,
    attempts, run_at, lease_expires_at, epoch, worker,
    created_at, started_at, finished_at, resource_type, reread, deadline
  from tandem.events_live
  union all
  select
    id, direction, action, source, connection_id,
    integration_external_id, integration_updated_at,
    lane_id, integration_record_type,
    record_id, record_type, state, reason,
    canceled_by, duplicate_of, ignored_for_id, ignored_for_type,
    delivery_id, content, digest, changes, conflicts, error,
    attempts, run_at, lease_expires_at, epoch, worker,
    created_at, started_at, finished_at, resource_type, reread, deadline
  from tandem.events_ended;

-- Local writes as the triggers saw them. The drain consumes rows; it keeps no watermark, for rows
-- become visible in the order of commits and not of ids. No key or constraint here can fail a writer.
create table tandem.changes (
  id bigint generated always as identity,
  record_type text,
  record_id text,
  operation text,
  columns text[],
  changed_at timestamptz,
  origin text,
  transaction_id xid8,
  -- The record as it was, kept for deletions only: its unsent edits are shown as conflicts.
  old_record jsonb,
  -- Columns before and after: {"title": {"from": "A", "to": "B"}}. Tables with a journal only.
  journal jsonb
);
create index changes_in_order on tandem.changes (id);
create index changes_by_record on tandem.changes (record_type, record_id);

-- Hooks that are to follow a commit: noted by the transaction that wrote the record, and removed when
-- the hook has run. Only mappings with such a hook write here.
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

-- What is asked for at every turn must cost the same however long the queues are and whatever the
-- planner believes of them: statistics of a queue are old the moment they are made, and PGlite makes
-- none. So these functions leave it no choice but the index.

-- Lanes to claim, those that wait longest first: something is due and nobody works on it; an
-- outbound event waits for an inbound one, whatever that one's time to run.
create function tandem.due_lanes(due_by timestamptz, how_many integer) returns setof bigint
language sql stable
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
  select due.lane_id
  from tandem.events_live as due
  where due.state = 'queued'
    and due.run_at <= due_by
    and not exists (
      select from tandem.events_live as other
      where other.lane_id = due.lane_id
        and (
          other.state = 'processing'
          or (
            due.direction = 'outbound'
            and other.direction = 'inbound'
            and other.state = 'queued'
          )
        )
    )
  order by due.run_at, due.id
  limit how_many
$$;

create function tandem.due_deliveries(due_by timestamptz, how_many integer) returns setof uuid
language sql stable
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
as $$
  select id
  from tandem.deliveries
  where state in ('received', 'failed') and run_at <= due_by
  order by run_at, id
  limit how_many
$$;

create function tandem.live_events(lanes bigint[]) returns setof tandem.events_live
language sql stable
set enable_seqscan = off
as $$
  select * from tandem.events_live where lane_id = any (lanes)
$$;
