import { CATALOGUE, type ErrorCode } from '../errors/catalogue.ts'
import { OPERATIONS } from '../openai/endpoints.ts'
import { counter, gauge, histogram, type LabelDefinitions, type MetricDefinition } from './definition.ts'

/**
 * Every metric of the gateway: its name is its type in code, and `docs/reference/metrics.md`, `# HELP` and `# TYPE` are made
 * of this. A label has the words that it can say, or what bounds them; where all have words, the series are there from the
 * start, at 0. Alphabetical; names are public, and never change their meaning.
 */

const CODES = Object.keys(CATALOGUE) as readonly ErrorCode[]
const MODEL = 'models of the configuration'
const UPSTREAM = 'servers of the configuration'
const TEAM = 'the first 200 teams; `(others)`'
const GEN_AI = { gen_ai_operation_name: OPERATIONS, gen_ai_request_model: `${MODEL}; empty: none of them` } as const
const FAILURE = { error_type: 'error codes; empty: there was none' } as const

/** What the conventions advise for durations of calls to models, in seconds. */
const CALL_SECONDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]
/** What they advise for the time to the first token. */
const FIRST_TOKEN_SECONDS = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
/** What they advise for tokens, up to the largest contexts. */
const TOKENS = [1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576]
/** A store or a disk at its best, and at the end of everybody's patience. */
const STORE_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]
/** Below 0: less was reserved than the prompt had. */
const ERROR_TOKENS = [-10_000, -1000, -100, -10, -1, 0, 10, 100, 1000, 10_000, 100_000]

const seconds = (name: string) => ({ name, unit: 's' })

export const METRICS = {
  gen_ai_client_operation_duration_seconds: histogram(
    CALL_SECONDS,
    { ...GEN_AI, ...FAILURE },
    'From sending a request to a model server until its answer was over, each attempt by itself.',
    seconds('gen_ai.client.operation.duration'),
  ),
  gen_ai_client_token_usage: histogram(
    TOKENS,
    { ...GEN_AI, gen_ai_token_type: ['input', 'output'] },
    'Tokens of a request and its answer.',
    { name: 'gen_ai.client.token.usage', unit: '{token}' },
  ),
  gen_ai_server_request_duration_seconds: histogram(
    CALL_SECONDS,
    { ...GEN_AI, ...FAILURE },
    'From the arrival of a request until all of its answer but the last bytes, which wait for the record, was out.',
    seconds('gen_ai.server.request.duration'),
  ),
  gen_ai_server_time_to_first_token_seconds: histogram(
    FIRST_TOKEN_SECONDS,
    GEN_AI,
    'From the arrival of a streamed request until the first bytes of its answer came from the model server.',
    seconds('gen_ai.server.time_to_first_token'),
  ),
  sallyport_audit_checkpoints_total: counter(
    { place: 'kinds of places', result: ['written', 'failed'] },
    'Signed checkpoints of the audit log, by place.',
  ),
  sallyport_audit_commit_seconds: histogram(STORE_SECONDS, {}, 'What the disk took for a group of audit records.'),
  sallyport_audit_deleted_records_total: counter({}, 'Audit records that were deleted at the end of their retention.'),
  sallyport_audit_forward_dropped_total: counter(
    { destination: 'destinations of the configuration', why: ['refused', 'missing'] },
    'Audit records that a destination will not get.',
  ),
  sallyport_audit_forward_failures_total: counter(
    { destination: 'destinations of the configuration' },
    'Attempts to forward audit records that failed.',
  ),
  sallyport_audit_forward_lag_bytes: gauge(
    { destination: 'destinations of the configuration' },
    'Bytes of the audit log that a destination lacks.',
  ),
  sallyport_audit_forward_lag_records: gauge(
    { destination: 'destinations of the configuration' },
    'Audit records that a destination lacks.',
  ),
  sallyport_audit_forward_lag_seconds: gauge(
    { destination: 'destinations of the configuration' },
    'Age of the oldest audit record that a destination lacks.',
  ),
  sallyport_audit_forwarded_total: counter(
    { destination: 'destinations of the configuration' },
    'Audit records that a destination has taken.',
  ),
  sallyport_audit_lag_seconds: gauge({}, 'For how long audit records have waited without any becoming safe on disk.'),
  sallyport_audit_records_total: counter({ result: ['written', 'failed'] }, 'Audit records.'),
  sallyport_audit_retention_runs_total: counter({ result: ['done', 'failed'] }, 'Looks for audit records to delete.'),
  sallyport_audit_waiting_records: gauge({}, 'Audit records that wait for the disk now.'),
  sallyport_audit_writable: gauge({}, '1 while the audit log can be written, else 0.'),
  sallyport_certificate_expiry_seconds: gauge(
    { use: '`data`, `admin`, `redis`, `upstream:` and its origin', kind: ['certificate', 'ca', 'crl'] },
    'Time left of the certificate, authority or list of revoked certificates in use that ends first; below 0: it has ended.',
  ),
  sallyport_certificate_expiry_warnings_total: counter(
    { what: 'kinds of certificates', urgency: ['soon', 'urgent', 'ended'] },
    'Warnings about certificates that end soon or have ended.',
  ),
  sallyport_certificate_reloads_total: counter(
    { result: ['loaded', 'failed'] },
    'Reloads of the certificates of a listener.',
  ),
  sallyport_config_loaded_timestamp_seconds: gauge({}, 'When the configuration in force was read.'),
  sallyport_config_reloads_total: counter(
    { result: ['loaded', 'refused', 'failed'] },
    'Times that the configuration was read again.',
  ),
  sallyport_connections_refused_total: counter({}, 'Connections beyond the limit of connections (Node).'),
  sallyport_guard_findings_total: counter(
    { stage: ['input', 'output'], rule: 'rules in force', action: 'actions' },
    'What rules and validators found in requests and answers.',
  ),
  sallyport_input_counts_total: counter(
    { model: MODEL, outcome: 'ways that it ended' },
    'Questions to model servers how many tokens a prompt has.',
  ),
  sallyport_key_load_failures_total: counter(
    { issuer: 'issuers of the configuration' },
    'Times that the keys of an issuer could not be loaded.',
  ),
  sallyport_log_lines_dropped_total: counter({}, 'Log lines that were dropped because nobody read them fast enough.'),
  sallyport_model_queue_depth: gauge({ model: MODEL }, 'Requests that wait for a model now.'),
  sallyport_otlp_dropped_total: counter(
    { signal: ['traces', 'metrics'], reason: ['queue_full', 'refused', 'failed'] },
    'Spans and readings of metrics that the collector did not get.',
  ),
  sallyport_otlp_exports_total: counter(
    { signal: ['traces', 'metrics'], result: ['sent', 'failed'] },
    'Exports to the OTLP collector.',
  ),
  sallyport_pool_choices_total: counter(
    { reason: ['conversation', 'prefix', 'load'] },
    'Why a server was chosen, where there was a choice.',
  ),
  sallyport_queue_ahead_total: counter({ team: TEAM }, 'Requests of the team in line when one came, added up.'),
  sallyport_queue_depth: gauge({ team: TEAM }, 'Requests of a team that wait now.'),
  sallyport_queue_ended_total: counter(
    { team: TEAM, outcome: ['admitted', 'left', 'timeout', 'dismissed', 'nowhere'] },
    'How waits ended.',
  ),
  sallyport_queue_wait_seconds_total: counter({ team: TEAM }, 'How long requests waited, added up.'),
  sallyport_quota_extensions_total: counter(
    { outcome: 'ways that it ended' },
    'Reservations that were extended because an answer outran them.',
  ),
  sallyport_quota_refusals_total: counter({ limit: 'limits of the configuration' }, 'Requests beyond a limit.'),
  sallyport_redis_round_trip_seconds: histogram(
    STORE_SECONDS,
    {},
    'Commands of the gateway to Redis, from sending until the answer; those without one are not among them.',
  ),
  sallyport_refusals_total: counter({ code: CODES }, 'Requests that were refused or failed, by error code.'),
  sallyport_reservation_error_tokens: histogram(
    ERROR_TOKENS,
    { model: MODEL, source: ['exact', 'learned', 'default'] },
    'Tokens of input that were reserved, less those that were used.',
  ),
  sallyport_store_failures_total: counter(
    { operation: ['reserve', 'settle', 'renew', 'revocations', 'keep'] },
    'Operations of the store that failed.',
  ),
  sallyport_store_outage_charged_back_total: counter({}, 'What was charged to the store after an outage.'),
  sallyport_store_outage_decisions_total: counter(
    { outcome: ['granted', 'refused'] },
    'Decisions on limits while the store was away.',
  ),
  sallyport_store_outage_forgiven_total: counter({}, 'Charges of an outage that were too many to keep.'),
  sallyport_tls_handshakes_refused_total: counter({ reason: 'reasons' }, 'TLS handshakes that failed.'),
  sallyport_token_expiry_warnings_total: counter({ team: 'teams' }, 'Tokens in use that end soon.'),
  sallyport_upstream_changes_total: counter(
    { upstream: UPSTREAM, change: ['ejected', 'restored', 'down', 'up', 'draining', 'undrained'] },
    'Changes of the trust in a model server.',
  ),
  sallyport_upstream_in_flight: gauge({ model: MODEL, upstream: UPSTREAM }, 'Requests under way at a model server.'),
  sallyport_upstream_turned_away_total: counter(
    { model: MODEL },
    'Times that a server turned a request away or could not be reached, and another was tried.',
  ),
  sallyport_upstream_usable: gauge(
    { model: MODEL, upstream: UPSTREAM },
    '1 while a model server is one of those that get new requests, else 0.',
  ),
  sallyport_validator_checks_total: counter(
    { validator: 'validators of the configuration', outcome: ['pass', 'bad', 'failed'] },
    'Checks by outside validators.',
  ),
  sallyport_worker_crashes_total: counter({}, 'Workers that ended unasked.'),
  sallyport_worker_starts_total: counter({}, 'Workers that were started.'),
  sallyport_workers: gauge({}, 'Workers that run.'),
} as const satisfies Readonly<Record<string, MetricDefinition>>

type Table = typeof METRICS
export type MetricName = keyof Table
type Of<T extends MetricDefinition['type']> = {
  [M in MetricName]: Table[M]['type'] extends T ? M : never
}[MetricName]

export type CounterName = Of<'counter'>
export type GaugeName = Of<'gauge'>
export type HistogramName = Of<'histogram'>

type Values<L extends LabelDefinitions> = {
  readonly [K in keyof L]: L[K] extends readonly (infer Word extends string)[] ? Word : string
}
/** The labels of a metric; undefined for one without. */
export type LabelsOf<M extends MetricName> = keyof Table[M]['labels'] extends never
  ? undefined
  : Values<Table[M]['labels']>
