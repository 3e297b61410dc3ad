-- That an event takes its record back: not every one that is to read its resource first does, and where
-- the resource is gone only a record that was taken back gets another.
-- Needs code that knows migration 21.
alter table tandem.events_live add column restores boolean not null default false;
alter table tandem.events_ended add column restores boolean not null default false;

-- What waits may be either, so it is what it was taken for before.
update tandem.events_live
set restores = true
where direction = 'outbound' and action = 'upsert' and reread;

create or replace view tandem.events as
  select
    id, direction, action, source, connection_id,
    integration_external_id, integration_updated_at,
    lane_id as integration_record_id, integration_record_type,
    record_id, record_type, state, reason,
    canceled_by, duplicate_of, ignored_for_id, ignored_for_type,
    delivery_id, content, digest, tandem.whole_changes(changes, content) as changes, conflicts, error,
    attempts, run_at, lease_expires_at, epoch, worker,
    created_at, started_at, finished_at, resource_type, reread, deadline, restores
  from tandem.events_live
  union all
  select
    id, direction, action, source, connection_id,
    integration_external_id, integration_updated_at,
    lane_id, integration_record_type,
    record_id, record_type, state, reason,
    canceled_by, duplicate_of, ignored_for_id, ignored_for_type,
    delivery_id, content, digest, tandem.whole_changes(changes, content), conflicts, error,
    attempts, run_at, lease_expires_at, epoch, worker,
    created_at, started_at, finished_at, resource_type, reread, deadline, restores
  from tandem.events_ended;
