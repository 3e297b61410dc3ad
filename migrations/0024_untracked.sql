-- A record that was drained for nothing has no lane, no event and no captured write: nothing looks at it
-- again. The local sweep counts such records, so that `status` need not read the app's tables.
alter table tandem.connections
  -- How many the last local sweep found and could not repair; null: no sweep has counted yet.
  add column untracked_records bigint;
