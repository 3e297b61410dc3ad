-- Where a resource came from that nothing is connected to: whoever is told late that one went there looks
-- here for where it is by now. Of those that came before this it is not known.
alter table tandem.lanes add column came_from text;

-- Few resources come from out of reach.
create index lanes_came_from on tandem.lanes (came_from, resource_type)
  where came_from is not null;
