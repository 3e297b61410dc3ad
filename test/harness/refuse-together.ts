/** A database that writes one row at a time where Tandem would write several. */

/** SQL that refuses a statement which leaves more than one row of a table of Tandem's so. */
export function refusesTwo(table: string, where: string): string {
  return `
    create function refuses_two() returns trigger language plpgsql as $$
    begin
      if (select count(*) from changed where ${where}) > 1 then
        raise exception 'one at a time' using errcode = 'lock_not_available';
      end if;
      return null;
    end $$;
    create trigger refuses_two after update on tandem.${table}
      referencing new table as changed for each statement execute function refuses_two()`;
}
