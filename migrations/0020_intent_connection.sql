-- Where the creates of a lane left, once its resource was transferred from there: one of them may still
-- land there, and its token has to be found. Of lanes that were moved before this it is not known.
alter table tandem.lanes
  add column intent_connection_id bigint references tandem.connections;
