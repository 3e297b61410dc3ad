-- Resources that are moved to another container: a lane goes with its resource to another connection.

alter table tandem.lanes
  -- Where the lane was, until the record and the resource's children have followed it.
  add column moved_from_connection bigint references tandem.connections,
  add column moved_from_external_id text,
  -- Where a resource went that nobody can follow: it may come back from there.
  add column tombstone_moved_to text;

-- Few resources leave; whoever is told that one came looks here for where it was.
create index lanes_moved_away on tandem.lanes (tombstone_moved_to, resource_type)
  where tombstone_moved_to is not null;
