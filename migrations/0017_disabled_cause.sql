-- Why a pairing is switched off was told by the beginning of a sentence for people. Code from before this
-- writes the sentence alone; once none of it runs, a later migration makes the column its companion.
alter table tandem.lanes
  add column disabled_cause text
    check (disabled_cause in ('quarantined', 'unmapped', 'restored'));

update tandem.lanes
set disabled_cause = case
  when disabled like 'quarantined%' then 'quarantined'
  when disabled like 'the database was restored%' then 'restored'
  else 'unmapped'
end
where disabled is not null;
