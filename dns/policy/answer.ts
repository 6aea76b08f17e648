// A name's answer to a client, computed from its plan alone: no I/O, no clock and no random source. Answers and explanations use the same code, so
// they can't differ.
import { Client, type ClientAddress, type GeoSource } from './client.ts';
import type { Place } from './plan.ts';
import type { AnswerRecord, PreparedName } from './prepare.ts';
import { type Kind, kindOf, knownStart, startOf } from './start.ts';
import { Trail, type TrailStep } from './trail.ts';

interface Asked {
  /** A, AAAA, CNAME or another. */
  readonly type: string;
  readonly client: ClientAddress;
  /** 0 ≤ x < 1. */
  readonly draw: () => number;
  readonly geo: GeoSource;
}

export interface Answer {
  readonly outcome: 'RECORDS' | 'NODATA' | 'SERVFAIL';
  /** One CNAME for any type (RFC 1034 section 3.6.2), or records of the type. */
  readonly records: readonly AnswerRecord[];
  readonly ttlSeconds: number;
  /** RFC 7871: 0 if the answer does not depend on the client. At most the given bits. */
  readonly scopeBits: number;
}

export interface Explained extends Answer {
  readonly trail: readonly TrailStep[];
  readonly client: { readonly region: string | null; readonly place: Place | null };
}

export function answer(name: PreparedName, asked: Asked): Answer {
  return decide(name, asked, new Client(asked.client, asked.geo, name.map), undefined);
}

export function explain(name: PreparedName, asked: Asked): Explained {
  const trail = new Trail();
  const decided = decide(name, asked, new Client(asked.client, asked.geo, name.map), trail);
  // A separate client: the explanation must not affect the scope.
  const told = new Client(asked.client, asked.geo, name.map);
  return { ...decided, trail: trail.steps, client: { region: told.region(), place: told.place() } };
}

function decide(name: PreparedName, { type, draw }: Asked, client: Client, trail: Trail | undefined): Answer {
  const kind = kindOf(type);
  const region = name.regional ? client.region() : null;
  const start = trail === undefined ? knownStart(name, kind, region) : startOf(name, kind, region, trail);
  let kept = start.candidates;
  for (const step of name.steps) {
    const before = kept;
    if (before.length > 1) kept = step.choose(before, client, draw);
    trail?.add(step.name, before, kept, (left) => step.why(left, client));
  }
  const records = kept.length === 0 ? start.records : recordsOf(kept, kind);
  return { outcome: start.outcome, records, ttlSeconds: name.ttlSeconds, scopeBits: client.scopeBits };
}

function recordsOf(members: PreparedName['members'], kind: Kind): readonly AnswerRecord[] {
  const [first] = members;
  if (first === undefined) return [];
  // A name has at most one CNAME, and no other records with it.
  if (first.records.CNAME.length > 0) return first.records.CNAME;
  if (kind === 'OTHER') return [];
  return members.length === 1 ? first.records[kind] : members.flatMap(({ records }) => records[kind]);
}
