-- A record that was drained for nothing has no lane, no event and no captured write: nothing looks at it
-- again. The local sweep counts such records, so that `status` need not read the app's tables.
alter table tandem.connections
  -- How many the last local sweep found and could not repair; null: no sweep has counted yet.
  add column untracked_records bigint;

-- The drain takes each transaction's first rows, so that a bulk update does not delay one user's edit.
create index changes_by_transaction on tandem.changes (transaction_id, id);
-- It takes with these what was captured of the same records before, in its order.
create index changes_by_record_in_order on tandem.changes (record_type, record_id, id);
drop index tandem.changes_by_record;
