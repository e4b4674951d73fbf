import type { ErrorCode } from '../errors/catalogue.ts'
import type { LabelsOf } from '../metrics/table.ts'
import type { Operation } from '../openai/endpoints.ts'
import type { Measurements, Telemetry } from '../ports/telemetry.ts'
import type { TokenUse } from '../quota/limit.ts'
import type { Exchange } from './exchange.ts'

type CallLabels = LabelsOf<'gen_ai_server_request_duration_seconds'>
type UsageLabels = LabelsOf<'gen_ai_client_token_usage'>

/** The labels of one operation on one model, made once. */
class Labels {
  readonly plain: LabelsOf<'gen_ai_server_time_to_first_token_seconds'>
  readonly input: UsageLabels
  readonly output: UsageLabels
  private readonly failures = new Map<ErrorCode | '', CallLabels>()

  constructor(operation: Operation, model: string) {
    this.plain = Object.freeze({ gen_ai_operation_name: operation, gen_ai_request_model: model })
    this.input = Object.freeze({ ...this.plain, gen_ai_token_type: 'input' })
    this.output = Object.freeze({ ...this.plain, gen_ai_token_type: 'output' })
  }

  of(code: ErrorCode | ''): CallLabels {
    let labels = this.failures.get(code)
    if (!labels) this.failures.set(code, (labels = Object.freeze({ ...this.plain, error_type: code })))
    return labels
  }
}

/** Measures what callers wait for and what they use, by operation and model. Labels are made once: a request only counts. */
export class RequestMeter {
  private readonly telemetry: Telemetry & Measurements
  private readonly models = new Map<string, Map<Operation, Labels>>()

  constructor(telemetry: Telemetry & Measurements) {
    this.telemetry = telemetry
  }

  /**
   * A request is over.
   * @param model that was asked for, one of the configuration; empty: none of them
   * @param tookMs since it arrived
   */
  ended(exchange: Exchange, model: string, used: Partial<TokenUse>, tookMs: number): void {
    const { endpoint, errorCode = '', firstByteAt, startedAt, findings } = exchange
    // The admin API's have none.
    if (endpoint.operation === undefined) return
    const labels = this.labelsOf(endpoint.operation, model)
    const { telemetry } = this
    telemetry.observe('gen_ai_server_request_duration_seconds', labels.of(errorCode), tookMs / 1000)
    if (firstByteAt !== undefined && exchange.body?.stream) {
      telemetry.observe('gen_ai_server_time_to_first_token_seconds', labels.plain, (firstByteAt - startedAt) / 1000)
    }
    const { inputTokens, outputTokens } = used
    if (inputTokens !== undefined) telemetry.observe('gen_ai_client_token_usage', labels.input, inputTokens)
    if (outputTokens !== undefined) telemetry.observe('gen_ai_client_token_usage', labels.output, outputTokens)
    for (const { stage, rule, action, count } of findings) {
      telemetry.count('sallyport_guard_findings_total', { stage, rule, action }, count)
    }
  }

  /** A call to a model server is over. `code`: empty where it answered, or nobody waited for it any more. */
  called({ endpoint, model }: Exchange, tookMs: number, code: ErrorCode | ''): void {
    if (endpoint.operation === undefined || !model) return
    const labels = this.labelsOf(endpoint.operation, model.id).of(code)
    this.telemetry.observe('gen_ai_client_operation_duration_seconds', labels, tookMs / 1000)
  }

  private labelsOf(operation: Operation, model: string): Labels {
    let operations = this.models.get(model)
    if (!operations) this.models.set(model, (operations = new Map<Operation, Labels>()))
    let labels = operations.get(operation)
    if (!labels) operations.set(operation, (labels = new Labels(operation, model)))
    return labels
  }
}
