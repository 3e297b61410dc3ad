-- Whose database this is, so that a copy of it does not post.
create table tandem.instance (
  is_only boolean primary key default true check (is_only),
  -- What the deployment calls itself, where it does.
  name text,
  -- The server's own id and the database's in it: no part of a dump, so a copy has another.
  place text,
  adopted_at timestamptz not null default tandem.now()
);
