// What a subgraph made of a CMP object: each asks for its own part, so that one that is away, or that a deployment leaves out,
// takes nothing from the others.
import type { CmpObjectName } from '../../cli/cmp-object.ts';
import type { GraphClient } from '../../cli/graph-client.ts';
import type { Printer } from '../../cli/printer.ts';

export interface Section<Found = unknown> {
  /** The subgraph's name. */
  readonly name: string;
  /** Null: the subgraph gave nothing. */
  read(client: GraphClient, object: CmpObjectName): Promise<Found | null>;
  print(printer: Printer, found: Found): Promise<void>;
}

/** For the types: what is read is what is printed. */
export function section<Found>(one: Section<Found>): Section {
  return one as unknown as Section;
}
