// A graph of the benchmark with the requests that are measured on it.

export interface Service {
  readonly name: string;
  readonly sdl: string;
  readonly resolvers: object;
}

export interface Workload {
  readonly query: string;
  variables(): Readonly<Record<string, unknown>>;
  /** Whether an answer to these variables is complete and free of errors. */
  isWhole(answer: string, variables: Readonly<Record<string, unknown>>): boolean;
}

export interface BenchGraph {
  readonly services: readonly Service[];
  /** Types by names that are unique among all graphs. */
  readonly workloads: Readonly<Record<string, Workload>>;
  /** A query of one object. `of` lists some of its fields, one of which is `leaf`. */
  readonly small: { readonly leaf: string; of(fields: string): string };
}
