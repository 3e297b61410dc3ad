-- Records that the app moves to another scope: their lane here ends, and they live on elsewhere. Code
-- before it would take such an end for a deletion, and delete a conversation that stays.
-- Needs code that knows migration 10.

alter table tandem.lanes
  add column tombstone_record_moved text
    check (tombstone_record_moved in ('to_connection', 'out_of_scope', 'with_parent'));
