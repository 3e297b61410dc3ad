-- Webhooks that the provider could not deliver, and how far its log of deliveries was read.

create table tandem.delivery_logs (
  id bigint generated always as identity primary key,
  integration text not null,
  -- Whose deliveries: several accounts may be installations of one App.
  name text not null,
  -- The provider's time when the last reading that is through began.
  seen_to timestamptz not null,
  -- A reading, newest first, that is not through yet: where it goes on, and when it began.
  walk_cursor text,
  walk_begun_at timestamptz,
  next_look_at timestamptz not null,
  unique (integration, name),
  check ((walk_cursor is null) = (walk_begun_at is null))
);

create table tandem.missed_deliveries (
  log_id bigint not null references tandem.delivery_logs,
  -- The provider's id of the delivery; each attempt at it has an id of its own.
  delivery_key text not null,
  attempt_id text not null,
  event text not null,
  status integer not null,
  failed_at timestamptz not null,
  -- How often it was asked for again, and when that may be done next.
  asks integer not null default 0,
  run_at timestamptz not null,
  state text not null check (state in ('waiting', 'given_up')),
  primary key (log_id, delivery_key)
);
