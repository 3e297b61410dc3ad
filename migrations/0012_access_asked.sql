-- News of an installation may be lost, and then nothing would switch its connections on again: so the
-- provider is asked, now and then.
alter table tandem.connections
  -- When it was last asked whether what switched the connection off still holds; null: not since.
  add column access_asked_at timestamptz;
