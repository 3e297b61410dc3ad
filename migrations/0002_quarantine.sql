-- Pairings that two systems fight over are switched off, and shown.

-- Of each field, who set it last, in turns: {"title": [{"side": "record", "digest": ..., "at": ...}]}.
-- It holds what is not long ago, and no more turns than make a fight.
alter table tandem.integration_records add column flips jsonb not null default '{}';

-- Pairings that are switched off are few, and shown wherever somebody asks how things stand.
create index lanes_disabled on tandem.lanes (connection_id, id) where disabled is not null;
