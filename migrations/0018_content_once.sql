-- At rest the cached copy, the base and the known content say the same, and each was a whole content of
-- its own: most of what an edit wrote, and of what compressing it cost. What says the same as the copy
-- is kept as `true` (base), or left out (the content of known).
--   Needs code that knows migration 18.
update tandem.integration_records
set
  base = case when base = copy then 'true'::jsonb else base end,
  known = case when known -> 'content' = copy then known - 'content' else known end
where copy is not null and (base = copy or known -> 'content' = copy);

-- An event says what it altered, from and to; what its own content says already is left out of `to`, for
-- a long text was kept twice in a row that has to be compressed. Who reads the view sees all of it. Whoever
-- drops an event's content must first write its changes whole.
create function tandem.whole_changes(changes jsonb, content jsonb) returns jsonb
language sql immutable parallel safe
as $$
  select case
    when jsonb_typeof(content) = 'object' and jsonb_path_exists(changes, '$[*] ? (!exists(@.to))')
      then (
        select
          jsonb_agg(
            case
              when change ? 'to' then change
              else change || jsonb_build_object('to', content -> (change ->> 'field'))
            end
            order by place
          )
        from jsonb_array_elements(changes) with ordinality as altered (change, place)
      )
    else changes
  end
$$;

create or replace view tandem.events as
  select
    id, direction, action, source, connection_id,
    integration_external_id, integration_updated_at,
    lane_id as integration_record_id, integration_record_type,
    record_id, record_type, state, reason,
    canceled_by, duplicate_of, ignored_for_id, ignored_for_type,
    delivery_id, content, digest, tandem.whole_changes(changes, content) as changes, conflicts, error,
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
    delivery_id, content, digest, tandem.whole_changes(changes, content), conflicts, error,
    attempts, run_at, lease_expires_at, epoch, worker,
    created_at, started_at, finished_at, resource_type, reread, deadline
  from tandem.events_ended;
