-- An account that holds its share of a worker's places is left out of what is claimed. However much it
-- has waiting, what the others have is found without reading past it.
create index events_live_due_by_connection on tandem.events_live (connection_id, run_at, id)
  where state = 'queued';

-- As `due_lanes`, without those of some connections. Each of the others costs a look at its queue.
create function tandem.due_lanes_besides(
  due_by timestamptz, how_many integer, left_out bigint[]
) returns setof bigint
language sql stable
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
  with recursive waiting (connection_id) as (
    (
      select queued.connection_id
      from tandem.events_live as queued
      where queued.state = 'queued'
      order by queued.connection_id
      limit 1
    )
    union all
    select (
      select queued.connection_id
      from tandem.events_live as queued
      where queued.state = 'queued' and queued.connection_id > waiting.connection_id
      order by queued.connection_id
      limit 1
    )
    from waiting
    where waiting.connection_id is not null
  )
  select longest.lane_id
  from waiting
  cross join lateral (
    select due.lane_id, due.run_at, due.id
    from tandem.events_live as due
    where due.connection_id = waiting.connection_id
      and due.state = 'queued'
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
  ) as longest
  where waiting.connection_id <> all (left_out)
  order by longest.run_at, longest.id
  limit how_many
$$;
