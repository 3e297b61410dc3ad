table tandem.accounts
  id bigint not null generated always as identity
  integration text not null
  name text not null
  credentials jsonb not null
  webhook_secrets jsonb not null default '[]'::jsonb
  state text not null default 'active'::text
  reason text
  paused_until timestamp with time zone
  identity jsonb
  clock_offset bigint not null default 0
  created_at timestamp with time zone not null default tandem.now()
  rate_limit integer
  rate_remaining integer
  rate_resets_at timestamp with time zone
  accounts_integration_name_key: UNIQUE (integration, name)
  accounts_pkey: PRIMARY KEY (id)
  accounts_state_check: CHECK ((state = ANY (ARRAY['active'::text, 'paused'::text, 'needs_attention'::text])))

table tandem.after_commits
  id bigint not null generated always as identity
  integration text not null
  resource_type text not null
  record_type text not null
  record_id text not null
  op text not null
  old_record jsonb
  event_id uuid not null
  attempts integer not null default 0
  run_at timestamp with time zone not null default tandem.now()
  after_commits_op_check: CHECK ((op = ANY (ARRAY['insert'::text, 'update'::text, 'delete'::text])))
  after_commits_pkey: PRIMARY KEY (id)

table tandem.audit
  id bigint not null generated always as identity
  at timestamp with time zone not null default tandem.now()
  actor text not null
  act text not null
  subject text not null
  origin text not null
  status integer not null
  audit_pkey: PRIMARY KEY (id)

table tandem.backfills
  connection_id bigint not null
  resource_type text not null
  step text not null
  cursor text
  pairs boolean not null
  creates boolean not null
  progress jsonb not null
  started_at timestamp with time zone not null default tandem.now()
  run_at timestamp with time zone not null default tandem.now()
  leased_until timestamp with time zone
  finished_at timestamp with time zone
  backfills_connection_id_fkey: FOREIGN KEY (connection_id) REFERENCES tandem.connections(id)
  backfills_pkey: PRIMARY KEY (connection_id, resource_type)
  backfills_step_check: CHECK ((step = ANY (ARRAY['list'::text, 'index_records'::text, 'index_resources'::text, 'pair'::text, 'create'::text, 'done'::text])))

table tandem.beats
  host uuid not null
  at timestamp with time zone not null
  beats_pkey: PRIMARY KEY (host)

table tandem.changes
  id bigint not null generated always as identity
  record_type text
  record_id text
  operation text
  columns text[]
  changed_at timestamp with time zone
  origin text
  transaction_id xid8
  old_record jsonb
  journal jsonb

table tandem.connections
  id bigint not null generated always as identity
  account_id bigint not null
  integration text not null
  container_id text not null
  container_name text not null
  scope text not null
  inbound boolean not null default true
  outbound boolean not null default true
  paused_reason text
  high_water jsonb not null default '{}'::jsonb
  etags jsonb not null default '{}'::jsonb
  polled_at timestamp with time zone
  swept_at timestamp with time zone
  created_at timestamp with time zone not null default tandem.now()
  local_swept_at timestamp with time zone
  access_asked_at timestamp with time zone
  untracked_records bigint
  polled_well_at timestamp with time zone
  poll_error text
  connections_account_id_fkey: FOREIGN KEY (account_id) REFERENCES tandem.accounts(id)
  connections_integration_container_id_scope_key: UNIQUE (integration, container_id, scope)
  connections_pkey: PRIMARY KEY (id)

table tandem.deliveries
  id uuid not null
  integration text not null
  delivery_key text not null
  event text not null
  action text
  payload text not null
  state text not null default 'received'::text
  reason text
  error jsonb
  times_received integer not null default 1
  attempts integer not null default 0
  run_at timestamp with time zone not null default tandem.now()
  received_at timestamp with time zone not null default tandem.now()
  translated_at timestamp with time zone
  verified_by bigint[]
  deliveries_integration_delivery_key_key: UNIQUE (integration, delivery_key)
  deliveries_pkey: PRIMARY KEY (id)
  deliveries_state_check: CHECK ((state = ANY (ARRAY['received'::text, 'translated'::text, 'irrelevant'::text, 'failed'::text])))

table tandem.delivery_logs
  id bigint not null generated always as identity
  integration text not null
  name text not null
  seen_to timestamp with time zone not null
  walk_cursor text
  walk_begun_at timestamp with time zone
  next_look_at timestamp with time zone not null
  delivery_logs_check: CHECK (((walk_cursor IS NULL) = (walk_begun_at IS NULL)))
  delivery_logs_integration_name_key: UNIQUE (integration, name)
  delivery_logs_pkey: PRIMARY KEY (id)

view tandem.events
  id uuid
  direction text
  action text
  source text
  connection_id bigint
  integration_external_id text
  integration_updated_at timestamp with time zone
  integration_record_id bigint
  integration_record_type text
  record_id text
  record_type text
  state text
  reason text
  canceled_by uuid
  duplicate_of uuid
  ignored_for_id text
  ignored_for_type text
  delivery_id uuid
  content jsonb
  digest text
  changes jsonb
  conflicts jsonb
  error jsonb
  attempts integer
  run_at timestamp with time zone
  lease_expires_at timestamp with time zone
  epoch bigint
  worker text
  created_at timestamp with time zone
  started_at timestamp with time zone
  finished_at timestamp with time zone
  resource_type text
  reread boolean
  deadline timestamp with time zone
  restores boolean

partitioned table tandem.events_ended partition by RANGE (finished_at)
  id uuid not null
  lane_id bigint
  connection_id bigint
  direction text not null
  action text not null
  source text not null
  resource_type text
  integration_external_id text
  integration_updated_at timestamp with time zone
  integration_record_type text
  record_type text not null
  record_id text
  state text not null
  reason text not null
  canceled_by uuid
  duplicate_of uuid
  ignored_for_id text
  ignored_for_type text
  delivery_id uuid
  content jsonb
  digest text
  changes jsonb not null default '[]'::jsonb
  conflicts jsonb not null default '[]'::jsonb
  error jsonb
  attempts integer not null default 0
  run_at timestamp with time zone not null
  lease_expires_at timestamp with time zone
  epoch bigint
  worker text
  reread boolean not null default false
  deadline timestamp with time zone
  created_at timestamp with time zone not null
  started_at timestamp with time zone
  finished_at timestamp with time zone not null
  restores boolean not null default false
  events_ended_lane: CHECK (((lane_id IS NULL) = (reason = ANY (ARRAY['journaled'::text, 'author_linked'::text]))))
  events_ended_state: CHECK ((state = ANY (ARRAY['completed'::text, 'ignored'::text, 'duplicate'::text, 'canceled'::text])))

table tandem.events_ended_default partition DEFAULT
  id uuid not null
  lane_id bigint
  connection_id bigint
  direction text not null
  action text not null
  source text not null
  resource_type text
  integration_external_id text
  integration_updated_at timestamp with time zone
  integration_record_type text
  record_type text not null
  record_id text
  state text not null
  reason text not null
  canceled_by uuid
  duplicate_of uuid
  ignored_for_id text
  ignored_for_type text
  delivery_id uuid
  content jsonb
  digest text
  changes jsonb not null default '[]'::jsonb
  conflicts jsonb not null default '[]'::jsonb
  error jsonb
  attempts integer not null default 0
  run_at timestamp with time zone not null
  lease_expires_at timestamp with time zone
  epoch bigint
  worker text
  reread boolean not null default false
  deadline timestamp with time zone
  created_at timestamp with time zone not null
  started_at timestamp with time zone
  finished_at timestamp with time zone not null
  restores boolean not null default false
  events_ended_lane: CHECK (((lane_id IS NULL) = (reason = ANY (ARRAY['journaled'::text, 'author_linked'::text]))))
  events_ended_state: CHECK ((state = ANY (ARRAY['completed'::text, 'ignored'::text, 'duplicate'::text, 'canceled'::text])))

table tandem.events_live with (fillfactor=70)
  id uuid not null
  lane_id bigint not null
  connection_id bigint not null
  direction text not null
  action text not null
  source text not null
  resource_type text not null
  integration_external_id text
  integration_updated_at timestamp with time zone
  integration_record_type text not null
  record_type text not null
  record_id text
  state text not null
  reason text not null
  canceled_by uuid
  duplicate_of uuid
  ignored_for_id text
  ignored_for_type text
  delivery_id uuid
  content jsonb
  digest text
  changes jsonb not null default '[]'::jsonb
  conflicts jsonb not null default '[]'::jsonb
  error jsonb
  attempts integer not null default 0
  run_at timestamp with time zone not null
  lease_expires_at timestamp with time zone
  epoch bigint not null
  worker text
  reread boolean not null default false
  deadline timestamp with time zone
  created_at timestamp with time zone not null
  started_at timestamp with time zone
  finished_at timestamp with time zone
  restores boolean not null default false
  events_live_action_check: CHECK ((action = ANY (ARRAY['upsert'::text, 'delete'::text])))
  events_live_direction_check: CHECK ((direction = ANY (ARRAY['inbound'::text, 'outbound'::text])))
  events_live_pkey: PRIMARY KEY (id)
  events_live_state_check: CHECK ((state = ANY (ARRAY['queued'::text, 'processing'::text, 'errored'::text, 'disabled'::text])))

table tandem.held_runs
  id bigint not null generated always as identity
  connection_id bigint not null
  kind text not null
  state text not null
  deletes integer not null
  overwrites integer not null
  records integer not null
  sample jsonb not null default '[]'::jsonb
  created_at timestamp with time zone not null default tandem.now()
  ended_at timestamp with time zone
  held_runs_check: CHECK (((ended_at IS NULL) = (state = ANY (ARRAY['held'::text, 'approved'::text, 'rejected'::text]))))
  held_runs_connection_id_fkey: FOREIGN KEY (connection_id) REFERENCES tandem.connections(id)
  held_runs_kind_check: CHECK ((kind = ANY (ARRAY['id_sweep'::text, 'local_sweep'::text, 'reconcile'::text, 'backfill'::text])))
  held_runs_pkey: PRIMARY KEY (id)
  held_runs_state_check: CHECK ((state = ANY (ARRAY['held'::text, 'approved'::text, 'rejected'::text, 'done'::text, 'withdrawn'::text])))

table tandem.instance
  is_only boolean not null default true
  name text
  place text
  adopted_at timestamp with time zone not null default tandem.now()
  set_back text
  instance_is_only_check: CHECK (is_only)
  instance_pkey: PRIMARY KEY (is_only)

table tandem.integration_records with (fillfactor=80)
  id bigint not null
  copy jsonb
  display jsonb not null default '{}'::jsonb
  base jsonb
  known jsonb
  record_changed_at jsonb not null default '{}'::jsonb
  attempt jsonb
  unanswered jsonb not null default '[]'::jsonb
  last_sent jsonb
  flips jsonb not null default '{}'::jsonb
  integration_records_id_fkey: FOREIGN KEY (id) REFERENCES tandem.lanes(id)
  integration_records_pkey: PRIMARY KEY (id)

table tandem.lanes with (fillfactor=80)
  id bigint not null generated always as identity
  connection_id bigint not null
  resource_type text not null
  record_type text not null
  external_id text
  record_id text
  parent_type text
  parent_external_id text
  clock_at timestamp with time zone
  clock_event uuid
  tombstone_at timestamp with time zone
  tombstone_event uuid
  tombstone_side text
  intent_token text
  intent_since timestamp with time zone
  intent_tokenless boolean not null default false
  awaiting_intent_until timestamp with time zone
  disabled text
  epoch bigint not null default 0
  created_at timestamp with time zone not null default tandem.now()
  moved_from_connection bigint
  moved_from_external_id text
  tombstone_moved_to text
  tombstone_record_moved text
  intent_posted jsonb
  tombstone_record_first boolean not null default false
  archived_as text
  returned_from uuid
  disabled_cause text
  intent_connection_id bigint
  came_from text
  tombstone_unfollowed boolean not null default false
  lanes_connection_id_fkey: FOREIGN KEY (connection_id) REFERENCES tandem.connections(id)
  lanes_disabled_cause_check: CHECK ((disabled_cause = ANY (ARRAY['quarantined'::text, 'unmapped'::text, 'restored'::text])))
  lanes_intent_connection_id_fkey: FOREIGN KEY (intent_connection_id) REFERENCES tandem.connections(id)
  lanes_moved_from_connection_fkey: FOREIGN KEY (moved_from_connection) REFERENCES tandem.connections(id)
  lanes_pkey: PRIMARY KEY (id)
  lanes_tombstone_record_moved_check: CHECK ((tombstone_record_moved = ANY (ARRAY['to_connection'::text, 'out_of_scope'::text, 'with_parent'::text])))
  lanes_tombstone_side_check: CHECK ((tombstone_side = ANY (ARRAY['resource'::text, 'record'::text])))

table tandem.links
  id bigint not null generated always as identity
  record_type text not null
  integration text not null
  login text not null
  placeholder_id text not null
  user_id text not null
  connected boolean not null default false
  attempts integer not null default 0
  run_at timestamp with time zone not null default tandem.now()
  links_pkey: PRIMARY KEY (id)
  links_record_type_placeholder_id_user_id_key: UNIQUE (record_type, placeholder_id, user_id)

table tandem.mappings_in_use
  single boolean not null default true
  digest text not null
  migrated_at timestamp with time zone not null default tandem.now()
  mappings_in_use_pkey: PRIMARY KEY (single)
  mappings_in_use_single_check: CHECK (single)

table tandem.migrations
  version integer not null
  name text not null
  digest text not null
  applied_at timestamp with time zone not null default clock_timestamp()
  needs integer not null default 0
  migrations_pkey: PRIMARY KEY (version)

table tandem.missed_deliveries
  log_id bigint not null
  delivery_key text not null
  attempt_id text not null
  event text not null
  status integer not null
  failed_at timestamp with time zone not null
  asks integer not null default 0
  run_at timestamp with time zone not null
  state text not null
  missed_deliveries_log_id_fkey: FOREIGN KEY (log_id) REFERENCES tandem.delivery_logs(id)
  missed_deliveries_pkey: PRIMARY KEY (log_id, delivery_key)
  missed_deliveries_state_check: CHECK ((state = ANY (ARRAY['waiting'::text, 'given_up'::text])))

table tandem.pairing_keys
  connection_id bigint not null
  resource_type text not null
  side text not null
  id text not null
  key text not null
  label text not null
  pairing_keys_pkey: PRIMARY KEY (connection_id, resource_type, side, id)
  pairing_keys_side_check: CHECK ((side = ANY (ARRAY['record'::text, 'resource'::text])))

table tandem.placeholders
  record_type text not null
  record_id text not null
  integration text not null
  login text not null
  written jsonb not null
  made_by uuid not null
  made_at timestamp with time zone not null default tandem.now()
  linked_to text
  placeholders_pkey: PRIMARY KEY (record_type, record_id)

table tandem.refusals
  minute timestamp with time zone not null
  integration text not null
  code text not null
  count bigint not null
  refusals_pkey: PRIMARY KEY (minute, integration, code)

table tandem.sessions
  id text not null
  token_digest text not null
  origin text not null
  created_at timestamp with time zone not null default tandem.now()
  used_at timestamp with time zone not null default tandem.now()
  sessions_pkey: PRIMARY KEY (id)

table tandem.truncations
  id bigint not null generated always as identity
  record_type text


CREATE UNIQUE INDEX accounts_integration_name_key ON tandem.accounts USING btree (integration, name)
CREATE UNIQUE INDEX accounts_pkey ON tandem.accounts USING btree (id)
CREATE INDEX after_commits_by_record ON tandem.after_commits USING btree (record_type, record_id, id)
CREATE INDEX after_commits_due ON tandem.after_commits USING btree (run_at, id)
CREATE UNIQUE INDEX after_commits_pkey ON tandem.after_commits USING btree (id)
CREATE UNIQUE INDEX audit_pkey ON tandem.audit USING btree (id)
CREATE UNIQUE INDEX backfills_pkey ON tandem.backfills USING btree (connection_id, resource_type)
CREATE UNIQUE INDEX beats_pkey ON tandem.beats USING btree (host)
CREATE INDEX changes_by_record_in_order ON tandem.changes USING btree (record_type, record_id, id)
CREATE INDEX changes_by_transaction ON tandem.changes USING btree (transaction_id, id)
CREATE INDEX changes_in_order ON tandem.changes USING btree (id)
CREATE INDEX connections_by_scope ON tandem.connections USING btree (integration, scope)
CREATE UNIQUE INDEX connections_integration_container_id_scope_key ON tandem.connections USING btree (integration, container_id, scope)
CREATE UNIQUE INDEX connections_pkey ON tandem.connections USING btree (id)
CREATE UNIQUE INDEX deliveries_integration_delivery_key_key ON tandem.deliveries USING btree (integration, delivery_key)
CREATE UNIQUE INDEX deliveries_pkey ON tandem.deliveries USING btree (id)
CREATE INDEX deliveries_to_translate ON tandem.deliveries USING btree (run_at, id) WHERE (state = ANY (ARRAY['received'::text, 'failed'::text]))
CREATE UNIQUE INDEX delivery_logs_integration_name_key ON tandem.delivery_logs USING btree (integration, name)
CREATE UNIQUE INDEX delivery_logs_pkey ON tandem.delivery_logs USING btree (id)
CREATE INDEX events_ended_by_id ON ONLY tandem.events_ended USING btree (id)
CREATE INDEX events_ended_by_lane ON ONLY tandem.events_ended USING btree (lane_id, id)
CREATE INDEX events_ended_default_id_idx ON tandem.events_ended_default USING btree (id)
CREATE INDEX events_ended_default_lane_id_id_idx ON tandem.events_ended_default USING btree (lane_id, id)
CREATE INDEX events_ended_default_record_type_record_id_id_idx ON tandem.events_ended_default USING btree (record_type, record_id, id) WHERE (lane_id IS NULL)
CREATE INDEX events_ended_journal ON ONLY tandem.events_ended USING btree (record_type, record_id, id) WHERE (lane_id IS NULL)
CREATE INDEX events_live_at_rest ON tandem.events_live USING btree (connection_id, state, lane_id) WHERE (state = ANY (ARRAY['errored'::text, 'disabled'::text]))
CREATE INDEX events_live_awaiting_intent ON tandem.events_live USING btree (connection_id) WHERE ((state = 'queued'::text) AND (reason = 'awaiting_intent'::text))
CREATE INDEX events_live_awaiting_pairing ON tandem.events_live USING btree (connection_id) WHERE ((state = 'queued'::text) AND (reason = 'awaiting_pairing'::text))
CREATE INDEX events_live_awaiting_parent ON tandem.events_live USING btree (connection_id) WHERE ((state = 'queued'::text) AND (reason = 'awaiting_parent'::text))
CREATE INDEX events_live_backfilled ON tandem.events_live USING btree (connection_id) WHERE ((source = 'backfill'::text) AND (state = ANY (ARRAY['queued'::text, 'processing'::text])))
CREATE INDEX events_live_by_lane ON tandem.events_live USING btree (lane_id)
CREATE INDEX events_live_due ON tandem.events_live USING btree (run_at, id) WHERE (state = 'queued'::text)
CREATE INDEX events_live_due_by_connection ON tandem.events_live USING btree (connection_id, run_at, id) WHERE (state = 'queued'::text)
CREATE INDEX events_live_errored_by_delivery ON tandem.events_live USING btree (delivery_id) WHERE (state = 'errored'::text)
CREATE UNIQUE INDEX events_live_one_processing ON tandem.events_live USING btree (lane_id) WHERE (state = 'processing'::text)
CREATE UNIQUE INDEX events_live_one_queued ON tandem.events_live USING btree (lane_id, direction) WHERE (state = 'queued'::text)
CREATE UNIQUE INDEX events_live_pkey ON tandem.events_live USING btree (id)
CREATE UNIQUE INDEX held_runs_open ON tandem.held_runs USING btree (connection_id, kind) WHERE (ended_at IS NULL)
CREATE UNIQUE INDEX held_runs_pkey ON tandem.held_runs USING btree (id)
CREATE UNIQUE INDEX instance_pkey ON tandem.instance USING btree (is_only)
CREATE UNIQUE INDEX integration_records_pkey ON tandem.integration_records USING btree (id)
CREATE INDEX lanes_by_parent ON tandem.lanes USING btree (connection_id, parent_external_id) WHERE (parent_external_id IS NOT NULL)
CREATE INDEX lanes_by_record ON tandem.lanes USING btree (record_type, record_id)
CREATE UNIQUE INDEX lanes_by_token ON tandem.lanes USING btree (intent_token) WHERE (intent_token IS NOT NULL)
CREATE INDEX lanes_came_from ON tandem.lanes USING btree (came_from, resource_type) WHERE (came_from IS NOT NULL)
CREATE INDEX lanes_disabled ON tandem.lanes USING btree (connection_id, id) WHERE (disabled IS NOT NULL)
CREATE INDEX lanes_moved_away ON tandem.lanes USING btree (tombstone_moved_to, resource_type) WHERE (tombstone_moved_to IS NOT NULL)
CREATE UNIQUE INDEX lanes_one_per_record ON tandem.lanes USING btree (connection_id, record_type, record_id, resource_type) WHERE ((record_id IS NOT NULL) AND (tombstone_event IS NULL))
CREATE UNIQUE INDEX lanes_one_per_resource ON tandem.lanes USING btree (connection_id, resource_type, external_id) WHERE (external_id IS NOT NULL)
CREATE INDEX lanes_open_tokenless ON tandem.lanes USING btree (connection_id, resource_type) WHERE (intent_tokenless AND (external_id IS NULL))
CREATE UNIQUE INDEX lanes_pkey ON tandem.lanes USING btree (id)
CREATE INDEX links_due ON tandem.links USING btree (run_at, id)
CREATE UNIQUE INDEX links_pkey ON tandem.links USING btree (id)
CREATE UNIQUE INDEX links_record_type_placeholder_id_user_id_key ON tandem.links USING btree (record_type, placeholder_id, user_id)
CREATE UNIQUE INDEX mappings_in_use_pkey ON tandem.mappings_in_use USING btree (single)
CREATE UNIQUE INDEX migrations_pkey ON tandem.migrations USING btree (version)
CREATE INDEX missed_deliveries_due ON tandem.missed_deliveries USING btree (log_id, run_at, delivery_key) WHERE (state = 'waiting'::text)
CREATE INDEX missed_deliveries_given_up ON tandem.missed_deliveries USING btree (log_id, failed_at) WHERE (state = 'given_up'::text)
CREATE UNIQUE INDEX missed_deliveries_pkey ON tandem.missed_deliveries USING btree (log_id, delivery_key)
CREATE INDEX pairing_keys_by_key ON tandem.pairing_keys USING btree (connection_id, resource_type, key)
CREATE UNIQUE INDEX pairing_keys_pkey ON tandem.pairing_keys USING btree (connection_id, resource_type, side, id)
CREATE INDEX placeholders_by_login ON tandem.placeholders USING btree (record_type, integration, login)
CREATE UNIQUE INDEX placeholders_pkey ON tandem.placeholders USING btree (record_type, record_id)
CREATE UNIQUE INDEX refusals_pkey ON tandem.refusals USING btree (minute, integration, code)
CREATE UNIQUE INDEX sessions_pkey ON tandem.sessions USING btree (id)

function tandem.due_deliveries(due_by timestamp with time zone, how_many integer) returns SETOF uuid
function tandem.due_lanes(due_by timestamp with time zone, how_many integer) returns SETOF bigint
function tandem.due_lanes_besides(due_by timestamp with time zone, how_many integer, left_out bigint[]) returns SETOF bigint
function tandem.live_events(lanes bigint[]) returns SETOF tandem.events_live
function tandem.now() returns timestamp with time zone
function tandem.whole_changes(changes jsonb, content jsonb) returns jsonb
