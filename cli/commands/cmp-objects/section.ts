// A subgraph's part of the answer about a CMP object. Each section sends its own query, so that an unavailable or missing subgraph does not affect
// the others.
import type { CmpObjectName } from '../../cmp-object.ts';
import type { GraphClient } from '../../graph-client.ts';
import type { Printer } from '../../printer.ts';

export interface Section<Found = unknown> {
  /** The subgraph's name. */
  readonly name: string;
  /** Null if the subgraph returned nothing. */
  read(client: GraphClient, object: CmpObjectName): Promise<Found | null>;
  print(printer: Printer, found: Found): Promise<void>;
}

/** Ensures that the query's result has the type that is printed. */
export function section<Found>(one: Section<Found>): Section {
  return one as unknown as Section;
}
