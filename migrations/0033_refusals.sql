-- Webhooks that were refused, by the minute: a wrong secret or a full receiver was seen in a process's own
-- metrics only, and forgotten with it. Anybody can send one, so there is a row for a minute and a cause, and
-- never one for a request.
create table tandem.refusals (
  minute timestamptz not null,
  -- `unknown` where no integration has the name that was asked for.
  integration text not null,
  -- Such as `bad_signature`.
  code text not null,
  count bigint not null,
  primary key (minute, integration, code)
);
