-- Records that the app moves to another scope: their lane here ends, and they live on elsewhere.

alter table tandem.lanes
  add column tombstone_record_moved text
    check (tombstone_record_moved in ('to_connection', 'out_of_scope', 'with_parent'));
