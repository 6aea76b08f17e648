// Requests by the name of their operation, for Prometheus. The number of names is bounded: clients choose them. A published
// operation has its name at once, another one when it was frequent.
import { Counter, type Registry } from 'prom-client';

interface Count {
  requests: number;
  ms: number;
}

/** An operation that was executed, or refused after it was read. */
interface NamedOperation {
  readonly hash: string;
  readonly operation: { readonly name?: { readonly value: string } | undefined };
}

/** With `other`. */
const mostNames = 100;
/** The other names are for published operations. */
const mostUnpublished = 50;
const mostCandidates = 1_000;
const frequentFrom = 100;
const longestName = 100;
const otherName = 'other';

export class OperationCounts {
  readonly #isPublished: (hash: string) => boolean;
  readonly #counts = new Map<string, Count>();
  /** Requests with names that are not frequent yet. */
  readonly #candidates = new Map<string, number>();
  #unpublished = 0;

  /** `isPublished`: whether the document of that hash is. */
  constructor(registry: Registry, isPublished: (hash: string) => boolean) {
    this.#isPublished = isPublished;
    this.#export(
      registry,
      'tidegate_gateway_operations_total',
      'GraphQL requests over HTTP by the name of their operation: published or frequent ones, at most 100, and other.',
      ({ requests }) => requests,
    );
    this.#export(
      registry,
      'tidegate_gateway_operation_seconds_total',
      'How long those requests took in all.',
      ({ ms }) => ms / 1000,
    );
  }

  ended(operation: NamedOperation, tookMs: number): void {
    const name = this.#labelOf(operation);
    let count = this.#counts.get(name);
    if (count === undefined) {
      count = { requests: 0, ms: 0 };
      this.#counts.set(name, count);
    }
    count.requests += 1;
    count.ms += tookMs;
  }

  #labelOf({ hash, operation }: NamedOperation): string {
    const name = operation.name?.value;
    if (name === undefined || name.length > longestName) return otherName;
    if (this.#counts.has(name)) return name;
    const names = this.#counts.size - (this.#counts.has(otherName) ? 1 : 0);
    if (names >= mostNames - 1) return otherName;
    if (this.#isPublished(hash)) return name;
    if (this.#unpublished >= mostUnpublished || !this.#isFrequent(name)) return otherName;
    this.#unpublished += 1;
    return name;
  }

  #isFrequent(name: string): boolean {
    const seen = (this.#candidates.get(name) ?? 0) + 1;
    this.#candidates.delete(name);
    if (seen >= frequentFrom) return true;
    if (this.#candidates.size >= mostCandidates) this.#candidates.clear();
    this.#candidates.set(name, seen);
    return false;
  }

  #export(registry: Registry, name: string, help: string, of: (count: Count) => number): void {
    const counts = this.#counts;
    new Counter({
      ...{ name, help, labelNames: ['operation'] },
      registers: [registry],
      collect() {
        this.reset();
        for (const [operation, count] of counts) this.inc({ operation }, of(count));
      },
    });
  }
}
