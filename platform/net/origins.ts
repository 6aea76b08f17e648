// The places of one peer, in the order of the settings: one is used until it fails, then the next.

export class Origins<Place> {
  readonly #places: readonly Place[];
  #at = 0;

  /** At least one. */
  constructor(places: readonly [Place, ...Place[]]) {
    this.#places = places;
  }

  get count(): number {
    return this.#places.length;
  }

  get current(): Place {
    return this.#places[this.#at] as Place;
  }

  /** It has failed: the next one is used, unless another one is already. */
  leave(place: Place): void {
    if (place === this.current) this.#at = (this.#at + 1) % this.#places.length;
  }
}

/** Statuses of a process that can't answer now, or of a proxy before it: another one may. */
export function isAway(status: number): boolean {
  return status === 502 || status === 503 || status === 504;
}

/** Whether a request of undici failed before there was a connection: nothing was sent. */
export function isUnconnected(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.every(isUnconnected);
  const { code, syscall } = (error ?? {}) as { readonly code?: unknown; readonly syscall?: unknown };
  return code === 'UND_ERR_CONNECT_TIMEOUT' || syscall === 'connect' || syscall === 'getaddrinfo';
}
