-- After a long outage tens of thousands of webhooks are missed, and a turn is taken every minute: it reads
-- what it asks for and what it forgets, and nothing of the rest.
create index missed_deliveries_due on tandem.missed_deliveries (log_id, run_at, delivery_key)
  where state = 'waiting';
create index missed_deliveries_given_up on tandem.missed_deliveries (log_id, failed_at)
  where state = 'given_up';
