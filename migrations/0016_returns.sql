-- Resources that were taken for deleted and are alive after all. Code before it would take a record
-- that we archived, and whose resource is back, for one that the app deleted, and close the resource.
-- Needs code that knows migration 16.

alter table tandem.lanes
  -- The record was deleted before the resource was: that the resource lives proves nothing.
  add column tombstone_record_first boolean not null default false,
  -- The soft delete that we wrote, as its column says it.
  add column archived_as text,
  -- The deletion that has proved wrong, until the record has followed.
  add column returned_from uuid;
