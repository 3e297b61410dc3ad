-- At rest the cached copy, the base and the known content say the same, and each was a whole content of
-- its own: most of what an edit wrote, and of what compressing it cost. What says the same as the copy
-- is kept as `true` (base), or left out (the content of known).
--   Needs code that knows migration 18.
update tandem.integration_records
set
  base = case when base = copy then 'true'::jsonb else base end,
  known = case when known -> 'content' = copy then known - 'content' else known end
where copy is not null and (base = copy or known -> 'content' = copy);
