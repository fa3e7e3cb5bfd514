// What functions cost for being there: an instance is kept after its last request, and an hour with a request has a least price.

/** Prices and sizes by which hours are paid. */
export interface HourTerms {
  /** How long an instance is kept after a request, in seconds. */
  readonly keptS: number;
  /** Of an hour in which an instance is kept from beginning to end. */
  readonly keptHour: number;
  /** The least that an hour with any request costs. */
  readonly least: number;
}

/** The share of time in which an instance is kept for one of so many requests an hour, which come when they like. */
export const keptShare = (requests: number, { keptS }: HourTerms): number => 1 - Math.exp((-requests * keptS) / 3600);

/** What an hour of one function costs on an average, beside what its requests compute. */
export const hourOf = (requests: number, terms: HourTerms): number =>
  Math.max(keptShare(requests, terms) * terms.keptHour, (1 - Math.exp(-requests)) * terms.least);
