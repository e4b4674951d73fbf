import type { Measurements } from '../ports/telemetry.ts'

/** How the number of tokens that were reserved came about. */
export type InputSource = 'exact' | 'learned' | 'default'

interface Labels {
  readonly model: string
  readonly source: InputSource
}

/** The histogram of tokens of input that were reserved and not used (or, below 0, used and not reserved). */
export class ReservationError {
  private readonly telemetry: Measurements
  private readonly labels = new Map<string, Readonly<Record<InputSource, Labels>>>()

  constructor(telemetry: Measurements) {
    this.telemetry = telemetry
  }

  /** `model` is one of the configuration. */
  observe(model: string, source: InputSource, reserved: number, actual: number): void {
    this.telemetry.observe('sallyport_reservation_error_tokens', this.of(model)[source], reserved - actual)
  }

  private of(model: string): Readonly<Record<InputSource, Labels>> {
    let labels = this.labels.get(model)
    if (!labels) {
      const of = (source: InputSource) => Object.freeze({ model, source })
      this.labels.set(model, (labels = { exact: of('exact'), learned: of('learned'), default: of('default') }))
    }
    return labels
  }
}
