-- `moved_from_*` has two meanings. It is the address that a lane's record and children still have to follow from, or,
-- in a lane left behind at an old address, the address that its resource moved on to. If the resource is gone, the
-- second holds. This column names the exception: the resource was deleted before record and children had followed.
alter table tandem.lanes
  add column tombstone_unfollowed boolean not null default false;

-- Only a deletion that still waits uses the difference, to remove the duplicate records at the former addresses.
update tandem.lanes
set tombstone_unfollowed = true
where moved_from_connection is not null and tombstone_side = 'resource' and tombstone_moved_to is null
  and exists (
    select from tandem.events_live
    where events_live.lane_id = lanes.id and events_live.id = lanes.tombstone_event
  );
