/** Every bound of the gateway that is not part of a wire or rule format. Units are in the names. */

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
const MIB = 1024 * 1024

// Configuration

/** A configuration is written by people; a larger file is a mistake, and parsing it would hold up the start. */
export const MAX_CONFIG_CHARACTERS = MIB
/** Reading one file that the configuration names. */
export const FILE_TIMEOUT_MS = 10_000
/** All authorities of an operating system are less than 1 MiB; the list of a large company's revoked certificates fits. */
export const MAX_PEM_BYTES = 16 * MIB
/** `${file:…}` is for secrets and prompts. */
export const MAX_INCLUDED_CHARACTERS = 256 * 1024
/** YAML aliases resolved at most: enough to share a block or two, too few for a "billion laughs". */
export const MAX_YAML_ALIASES = 64
/** Entries of any list of the configuration: each costs memory and start-up time. */
export const MAX_LIST_ENTRIES = 1000
/** Names of teams, applications, environments, limits: they end up in store keys and metric labels. */
export const MAX_NAME_CHARACTERS = 64
export const MAX_MODEL_ID_CHARACTERS = 200
/** Terms of all dictionaries together: each costs memory in every set of rules that it is part of. */
export const MAX_TERMS = 20_000
/** A term is a name; what is longer is text, and would be held back as long. */
export const MAX_TERM_CHARACTERS = 128
/** One character stands in almost every text. */
export const MIN_TERM_CHARACTERS = 2
/** A dictionary's file: the terms above at fifty characters each. */
export const MAX_TERMS_FILE_CHARACTERS = MIB
/** Faults reported of one dictionary: more would bury the others. */
export const MAX_TERM_FAULTS = 10
/** Different sets of rules that the policies make, directions apart: each is an automaton of its own, of some megabytes. */
export const MAX_RULE_SETS = 64
/** A rule of the company's own that takes more than this part of ordinary prose would redact or block everything. */
export const MAX_PROSE_SHARE = 0.25
/** A shorter HMAC secret is warned about: 32 hex characters are 128 bits. The floor is in `audit/hmac.ts`. */
export const GOOD_HMAC_SECRET_CHARACTERS = 32

// Requests

/** Default of `request.maxBody`: a 128k-token context is well under 1 MiB of text; tool results may be larger. */
export const DEFAULT_MAX_BODY_BYTES = 4 * MIB
/** Ceiling of `request.maxBody`: a body is held in memory, several times over while it is checked. */
export const MAX_BODY_BYTES = 64 * MIB
/** Default of `limits.bodyTimeout`: keeps a slow sender from holding a connection for ever. 4 MiB at 1 Mbit/s. */
export const DEFAULT_BODY_TIMEOUT_MS = 30_000
/** Ceilings of `limits`: what is longer or more is no limit. */
export const MAX_RECEIVE_TIMEOUT_MS = 5 * MINUTE_MS
/** Default and ceiling of `limits.url`: the longest path is a model's id of 200 characters, encoded. */
export const DEFAULT_MAX_URL_CHARACTERS = 2048
export const MAX_URL_CHARACTERS = 8192
/** Default and ceiling of `limits.headers`: SDKs send about twenty, proxies add ten. */
export const DEFAULT_MAX_HEADERS = 100
export const MAX_HEADERS = 1000
export const MAX_CONNECTIONS = 1_000_000
/** Idle connections are closed after this at the latest. */
export const MAX_KEEP_ALIVE_MS = 10 * MINUTE_MS
/** Nesting of request JSON: deeper is an attack on recursive readers, no schema of the API comes near. */
export const MAX_JSON_DEPTH = 64
/** Longer requests are looked through in turns of the event loop: at the worst, one of this length takes 20 ms. */
export const LONG_BODY_BYTES = 32 * 1024
/** Different values of one request that get stand-ins: a table of a company's customers; each is looked for in the answer. */
export const MAX_STAND_INS = 10_000
/** `x-request-id` of the caller is kept up to this length. */
export const MAX_REQUEST_ID_CHARACTERS = 128

// Tokens

/** A service token is under 1 KiB, an RS256 one with many models under 4; more is refused before any work is done. */
export const MAX_TOKEN_CHARACTERS = 8 * 1024
/** Contract: no token lives longer, whatever the configuration says. */
export const MAX_TOKEN_LIFETIME_MS = 90 * DAY_MS
/** Clocks of issuer and gateway may differ by this much; never applied to `exp`. */
export const CLOCK_TOLERANCE_MS = 30_000
/** Life of a token that is issued over the admin API, by default the most that is given: what is easily had should not last. */
export const DEFAULT_ISSUED_TTL_MS = DAY_MS
/** Verified tokens remembered: about 10 MB, and more than the services of one company. */
export const TOKEN_CACHE_ENTRIES = 10_000
/** Refused tokens remembered, so that a misconfigured client in a loop does not cost a signature check each time. */
export const REFUSED_TOKEN_CACHE_ENTRIES = 1000
/** How long a refusal is remembered. */
export const REFUSED_TOKEN_CACHE_MS = 10_000
/** Model globs in one token, and the length of one. */
export const MAX_TOKEN_MODELS = 64
export const MAX_MODEL_GLOB_CHARACTERS = 200
/** Quotas that one token sets limits of. */
export const MAX_CLAIMED_LIMITS = 32
/** Scopes in one token, by the length of the claim. */
export const MAX_SCOPE_CHARACTERS = 512
/** Single tokens revoked at a time: each instance has them all in memory, some 40 MB. More are a team, or a case for all. */
export const MAX_REVOCATIONS = 100_000
/** Issued tokens that a list shows at most. */
export const MAX_LISTED_TOKENS = 10_000
/** Instances look for new revocations this often, whether or not they were told of one: half of the second it may take. */
export const REVOCATION_POLL_MS = 500
export const DEFAULT_REVOCATION_MAX_AGE_MS = MINUTE_MS
/** Ceiling of `tokens.revocation.maxAge`. */
export const MAX_REVOCATION_MAX_AGE_MS = DAY_MS
export const DEFAULT_EXPIRY_WARNING_MS = 7 * DAY_MS
/** Characters of the reason that is given for a revocation. */
export const MAX_REASON_CHARACTERS = 200
/** Keys in one JWK Set: the current one, the one before, and room for several issuers. */
export const MAX_JWKS_KEYS = 64
/** A JWK Set: room for the keys above with certificate chains. */
export const MAX_JWKS_BYTES = 256 * 1024
/** Between two looks at a key file; what a look costs is one `stat`. */
export const KEY_FILE_EVERY_MS = 1000
/** A new key is usable at once, and tokens with made-up keys cost ten looks a second. */
export const KEY_FILE_COOLDOWN_MS = 100
/** A look at a file: past this its disk is gone. */
export const KEY_FILE_TIMEOUT_MS = 2000
/** Between two looks at a key set over HTTP: for so long a key that was removed goes on. */
export const DEFAULT_KEY_EVERY_MS = 5 * MINUTE_MS
/** After a look over HTTP, until an unknown key may cause another. */
export const DEFAULT_KEY_COOLDOWN_MS = 30_000
/** For one look over HTTP: callers wait for it. */
export const DEFAULT_KEY_TIMEOUT_MS = 5000
export const MAX_KEY_TIMEOUT_MS = 30_000
/** For how long keys go on that could not be looked at again: a night's outage of the identity provider. */
export const DEFAULT_KEY_STALE_MS = DAY_MS
export const MAX_KEY_STALE_MS = 7 * DAY_MS
/** Identity providers issue access tokens for minutes or hours. */
export const DEFAULT_TRUSTED_LIFETIME_MS = DAY_MS

// Proxies in front

/** A certificate in a header: an RSA one with many names is some 4 KiB, a third more in base64 or percent escapes. */
export const MAX_CLIENT_CERT_CHARACTERS = 12 * 1024
/** Certificates that proxies passed on and that were read: a company's services, with their old and new ones. */
export const CLIENT_CERT_CACHE_ENTRIES = 1000
/** How long one is remembered. What was read of it cannot change. */
export const CLIENT_CERT_CACHE_MS = 10 * MINUTE_MS

// Upstreams

/** One SSE frame: far above any real delta, far below what would hurt. */
export const MAX_FRAME_BYTES = MIB
/** Events of a stream that wait for what follows at a place that no wire describes: hundreds of them. */
export const MAX_WAITING_BYTES = 256 * 1024
/** A whole answer without streaming, held in memory to be checked. */
export const MAX_ANSWER_BYTES = 32 * MIB
/** Characters of a caller's own values that are put back into one answer: a few letters stand for values of any length. */
export const MAX_RESTORED_CHARACTERS = 4 * MIB
export const DEFAULT_FIRST_BYTE_MS = 30_000
export const DEFAULT_IDLE_MS = MINUTE_MS
export const DEFAULT_TOTAL_MS = 15 * MINUTE_MS
/** Ceiling of the time-outs: timers past 24.8 days fire at once, and no answer takes a day. */
export const MAX_TIMEOUT_MS = DAY_MS
/** Ceiling of `maxInFlight`. */
export const MAX_IN_FLIGHT = 100_000

// Admission

/** Requests that wait for one model: each costs some kilobytes beside its body. */
export const DEFAULT_QUEUED = 10_000
export const DEFAULT_QUEUED_PER_TEAM = 1000
export const MAX_QUEUED = 100_000
/** Bodies of all requests that wait: in memory they take about twice their size. */
export const DEFAULT_QUEUED_BYTES = 256 * MIB
export const MAX_QUEUED_BYTES = 64 * 1024 * MIB
/** Long enough for a queue to be of use, shorter than the patience of the usual clients and balancers (60 s). */
export const DEFAULT_MAX_WAIT_MS = 30_000
/** Ceiling of a weight: beyond it, a share is a priority. */
export const MAX_WEIGHT = 1000
/** Priority classes: each request that waits looks through them. */
export const MAX_PRIORITIES = 8
/** Callers are asked to come back no sooner than this, and no later: estimates beyond an hour are guesses. */
export const MIN_RETRY_MS = 1000
export const MAX_RETRY_MS = 3_600_000
/** What a caller is told to wait where all servers of its model are drained: when they are back, only the administrator knows. */
export const DRAINED_RETRY_MS = 10_000
/** Teams that have metrics of their own; what comes later is counted together. */
export const MAX_TEAM_LABELS = 200
/** Requests that wait may still have their turn for this long after the signal to stop: the rest of the drain is for answers. */
export const SHUTDOWN_QUEUE_MS = 10_000
/** Ceiling of a weight: beyond it, the others are as good as drained. */
export const MAX_SERVER_WEIGHT = 1000
/** Between two health checks of a server, and the wait for its answer: a busy one may take a while. */
export const DEFAULT_HEALTH_EVERY_MS = 5000
export const MIN_HEALTH_EVERY_MS = 100
export const MAX_HEALTH_EVERY_MS = 10 * MINUTE_MS
export const DEFAULT_HEALTH_TIMEOUT_MS = 2000
export const MAX_HEALTH_TIMEOUT_MS = MINUTE_MS
/** Servers that one request is sent to at the most, one after the other; those that cannot be connected to do not count. */
export const MAX_ATTEMPTS = 3
/** Beginnings of prompts of which it is remembered which server has them: some 5 MB, thousands of conversations. */
export const PREFIX_ENTRIES = 131_072
/** Ceiling of `maxOutputTokens` and of any limit in tokens; the sum over a window stays exact. */
export const MAX_TOKENS = 1_000_000_000_000

// Quotas

/** A quota decision takes at most this long, or the store counts as down. */
export const STORE_TIMEOUT_MS = 100
/** A store that has failed several times in a row is left alone for this long, then asked by one request. */
export const STORE_BREAKER_PAUSE_MS = 250
/** Sub-windows are a sixtieth of this: shorter ones would be finer than the clocks agree. */
export const MIN_WINDOW_MS = 1000
/** A month; longer windows would keep counters longer than people remember the limit. */
export const MAX_WINDOW_MS = 31 * DAY_MS

// Counting prompts

/** Model servers count a mebibyte of text in some 200 ms; what takes longer is busy, and the estimate will do. */
export const DEFAULT_COUNT_MS = 200
export const MAX_COUNT_MS = 10_000
/** Counts under way at one server: llama-server works on each with one of the few threads that also take requests. */
export const MAX_COUNTS_IN_FLIGHT = 4
/** Counts remembered, under 200 bytes each, and for how long: a model may be replaced by another of its name. */
export const COUNT_CACHE_ENTRIES = 4096
export const COUNT_CACHE_MS = 5 * MINUTE_MS
/** For so long a server is not asked that has no such endpoint, or whose counts are not those of its own answers. */
export const NO_COUNTS_MS = 10 * MINUTE_MS
/** Prompts from this size on take a model a second or so to read, and a server a hundredth of that to count. */
export const LONG_PROMPT_TOKENS = 8192
/** Teams and models of which it is learnt how many tokens their prompts have: 450 bytes each. */
export const LEARNED_PAIRS = 4096

// Validators

/** What validators are taken to be able to read at once, in UTF-16 units. Prompt guards read 512 tokens. */
export const CLASSIFY_WINDOW = 1200
export const DEFAULT_INPUT_WINDOW = 4000
/** Smaller windows see no sentence; larger ones are no windows. */
export const MIN_WINDOW = 100
export const MAX_WINDOW = 100_000
/** How much of a streamed answer waits for a verdict: about a hundred tokens. */
export const DEFAULT_OUTPUT_WINDOW = 400
export const MAX_OUTPUT_WINDOW = 10_000
/** Part of an answer that does not fill a window is checked as it is after this time: a slow model is not held up for more. */
export const WINDOW_WAIT_MS = 1000
/** Windows of one whole answer: of the usual size, 4 million characters. */
export const MAX_ANSWER_WINDOWS = 1024
/** Windows of one prompt, by default and at the most. */
export const DEFAULT_MAX_WINDOWS = 64
export const MAX_WINDOWS = 4096
/** Windows of one text that are with one validator at the same time. */
export const WINDOWS_AT_ONCE = 8
/** Longest time for a check: callers wait for it. */
export const MAX_CHECK_MS = MINUTE_MS
/** A verdict is a few hundred bytes; with log probabilities a few thousand. */
export const MAX_VERDICT_BYTES = 64 * 1024
export const DEFAULT_VALIDATOR_IN_FLIGHT = 32
/** Checks that wait for a place with one validator; more are not checked in time anyway. */
export const MAX_CHECKS_WAITING = 10_000
/** Verdicts remembered: an entry is under 200 bytes. */
export const DEFAULT_VERDICTS = 10_000
export const MAX_VERDICTS = 1_000_000
export const DEFAULT_VERDICT_MS = 5 * MINUTE_MS
/** Failures in a row after which a validator is left alone, and for how long. */
export const BREAKER_FAILURES = 5
export const BREAKER_PAUSE_MS = 5000
/** Of an answer in progress, what may wait for verdicts before the model server is paused; and checks of it at a time. */
export const MAX_HELD_BYTES = 256 * 1024
export const MAX_CHECKS_OPEN = 4

// Audit

/** Size at which a new audit file is begun: opens in an editor, verifies in seconds. */
export const DEFAULT_AUDIT_FILE_BYTES = 64 * MIB
/** Smaller files would be begun every few records. */
export const MIN_AUDIT_FILE_BYTES = 64 * 1024
export const MAX_AUDIT_FILE_BYTES = 16 * 1024 * MIB
/** A beginning that nobody waits for is written by then, or with what others wait for: models take longer to answer. */
export const INTENT_WAIT_MS = 10
/** A new file more often than this would make files of a few records; less often than a year is never. */
export const MIN_AUDIT_FILE_AGE_MS = MINUTE_MS
export const MAX_AUDIT_FILE_AGE_MS = 366 * DAY_MS
/** Earlier HMAC secrets: one a quarter for as long as records are kept. */
export const MAX_PREVIOUS_SECRETS = 32
export const DEFAULT_CHECKPOINT_EVERY_MS = MINUTE_MS
/** Checkpoints are signed on the way of requests: one a second costs 0.1 ms. */
export const MIN_CHECKPOINT_EVERY_MS = 1000
/** A checkpoint counts as lost when its place has not taken it by then; the next one says all that it said. */
export const CHECKPOINT_TIMEOUT_MS = 5000
/** Places that checkpoints go to. */
export const MAX_CHECKPOINT_PLACES = 8
/** Records that are gone within the hour are no record of anything. */
export const MIN_RETENTION_MS = HOUR_MS
export const MAX_RETENTION_MS = 100 * 366 * DAY_MS
/** A look costs a stat a file where nothing has come due. */
export const MIN_RETENTION_EVERY_MS = 1000
export const MAX_RETENTION_EVERY_MS = 7 * DAY_MS
export const DEFAULT_RETENTION_EVERY_MS = HOUR_MS
/** Destinations of the log: each reads all of it. */
export const MAX_FORWARD_DESTINATIONS = 8
/** One batch of each destination is in memory, some three times over while it is written. */
export const DEFAULT_FORWARD_BATCH = 1000
export const MAX_FORWARD_BATCH = 50_000
export const DEFAULT_FORWARD_BYTES = MIB
export const MIN_FORWARD_BYTES = 1024
export const MAX_FORWARD_BYTES = 32 * MIB
/** Records are gathered for this long: a request a second, and what is new is seen at once. */
export const DEFAULT_FORWARD_WAIT_MS = 1000
export const MAX_FORWARD_WAIT_MS = MINUTE_MS
export const DEFAULT_FORWARD_TIMEOUT_MS = 30_000
export const MAX_FORWARD_TIMEOUT_MS = 10 * MINUTE_MS
/** A destination that was away for a night is asked so often. */
export const DEFAULT_FORWARD_PAUSE_MS = MINUTE_MS
export const MAX_FORWARD_PAUSE_MS = 60 * MINUTE_MS
export const DEFAULT_FORWARD_WARN_MS = 5 * MINUTE_MS
/** What receivers take by default (rsyslog, and what RFC 5425 asks of them); the least that they have to take. */
export const DEFAULT_SYSLOG_BYTES = 8192
export const MIN_SYSLOG_BYTES = 2048
export const MAX_SYSLOG_BYTES = 4 * MIB
/** Redacted output kept in a record. Contract: at most 200 characters. */
export const MAX_SNIPPET_CHARACTERS = 200

// Admin API

/** Bodies of the admin API name a few things. */
export const MAX_ADMIN_BODY_BYTES = 64 * 1024
/** Looking at the state of a model server. */
export const MODEL_STATE_TIMEOUT_MS = 2000
/** An answer about models: a router's list has launch arguments in it. */
export const MAX_MODEL_STATE_BYTES = 4 * MIB
/** Entries of one page. */
export const MAX_PAGE = 1000
export const DEFAULT_PAGE = 100
/** Calls to the admin API a minute and token: ten a second are no person's, and each is a record on disk. */
export const ADMIN_CALLS_PER_MINUTE = 600
/** Rows of the totals since the start, one for each team, application, environment and model: about 3 MB. */
export const MAX_USAGE_ROWS = 10_000
/** Windows looked at for one answer about usage. */
export const MAX_USAGE_METERS = 1000
/** Searches of the audit log at the same time; each takes turns with requests. */
export const MAX_AUDIT_SEARCHES = 4
/** A search that has looked for so long answers with what it has, and where to go on. */
export const MAX_SEARCH_MS = 2000
/** UTF-16 units of the records of one page. The last may go beyond. */
export const MAX_SEARCH_CHARACTERS = 4 * MIB
/** One parameter of a search: some names or ids. */
export const MAX_SEARCH_TERM_CHARACTERS = 240
/** Characters of an action's target in a record. */
export const MAX_TARGET_CHARACTERS = 256

// Export

/** Between two exports of metrics. */
export const MIN_EXPORT_MS = 1000
export const MAX_EXPORT_MS = 10 * MINUTE_MS
export const MAX_EXPORT_TIMEOUT_MS = MINUTE_MS
/** Spans that wait for the collector: some megabytes, and a minute of a busy gateway's. Those beyond are dropped and counted. */
export const MAX_QUEUED_SPANS = 8192
/** Spans of one export. */
export const MAX_EXPORTED_SPANS = 512
/** Spans wait so long for others to go with them. */
export const SPAN_DELAY_MS = 1000
/** A collector that fails is left alone for this long, twice as long after each further failure, and no longer than that. */
export const EXPORT_PAUSE_MS = 1000
export const MAX_EXPORT_PAUSE_MS = 30_000
/** For the last export, when the process stops. */
export const LAST_EXPORT_MS = 2000

// Process

/** Streams in progress may finish for this long after the signal to stop. */
export const SHUTDOWN_DRAIN_MS = 30_000

/** Output tokens reserved for a request that names no limit, to a model that has none. Settled to what was really used. */
export const UNBOUNDED_OUTPUT_TOKENS = 4096
/** Times that a settlement is sent to a store that does not answer, and the pause before the first repetition. */
export const SETTLE_ATTEMPTS = 5
export const SETTLE_RETRY_MS = 200
