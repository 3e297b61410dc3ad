-- Which code works with which schema, so that workers of two generations can tell. A migration that
-- code before it cannot work with says so in a line of its own:
--   Needs code that knows migration N.

alter table tandem.migrations
  -- Code whose last migration is older must not work with the schema from here on.
  add column needs integer not null default 0;

-- The mappings that the triggers were made for last: one row.
create table tandem.mappings_in_use (
  single boolean primary key default true check (single),
  digest text not null,
  migrated_at timestamptz not null default tandem.now()
);
