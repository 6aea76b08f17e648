// The answer that a backend without policies (RFC 2136, PowerDNS, Designate) can give for a name: one record set per type, the
// same for every client and query. Names that need more are refused because of their configuration alone. They are never
// approximated, and the current state of members does not matter.
import { answer } from './answer.ts';
import { clientAddress, noGeo } from './client.ts';
import type { NamePlan, PolicyStep } from './plan.ts';
import { prepareName } from './prepare.ts';

interface StaticRecordSet {
  readonly type: 'A' | 'AAAA' | 'CNAME';
  readonly ttlSeconds: number;
  /** Sorted: a record set has no order. */
  readonly values: readonly string[];
}

type StaticAnswer =
  /** Empty if the name has no records (NODATA). */
  | { readonly supported: true; readonly sets: readonly StaticRecordSet[] }
  /** NOT_SUPPORTED, in words. */
  | { readonly supported: false; readonly reason: string };

export function staticAnswer(plan: NamePlan): StaticAnswer {
  const reason = staticFault(plan);
  if (reason !== undefined) return { supported: false, reason };
  const name = prepareName(plan, new Map());
  const asked = { client: clientAddress('0.0.0.0', 0), draw: () => 0, geo: noGeo };
  const sets = (['A', 'AAAA'] as const).flatMap((type): StaticRecordSet[] => {
    const { records, ttlSeconds } = answer(name, { ...asked, type });
    const [first] = records;
    if (first === undefined) return [];
    return [{ type: first.type, ttlSeconds, values: records.map(({ data }) => data).sort() }];
  });
  // A CNAME answers both types.
  const [first] = sets;
  return { supported: true, sets: first?.type === 'CNAME' ? [first] : sets };
}

/** Why a static backend can't serve the name, whichever members are up. Undefined if it can. */
export function staticFault({ steps, members, pools, noneUp }: NamePlan): string | undefined {
  if (noneUp.do === 'SERVFAIL') return 'it has no way to answer SERVFAIL for one name while none is up';
  if (members.some(({ upIn }) => Object.keys(upIn).length > 0))
    return 'it answers all clients alike: no verdict by region';
  const sizes = [...pools, ...(noneUp.do === 'POOL' ? [noneUp.pool] : [])].map(({ memberIds }) => memberIds.length);
  const most = Math.max(0, ...sizes);
  const cut = Math.min(...steps.flatMap((step) => (step.step === 'FIRST' ? [step.count] : [])));
  const cnames = members.some(({ cname }) => cname !== null);
  for (const step of steps) {
    if (needsClient(step)) return `it answers all clients alike: no ${step.step}`;
    if (step.step === 'WEIGHTED' && most > 1) return 'it gives each record the same weight: no WEIGHTED';
    if (step.step === 'SHUFFLE' && most > 1 && (cut < most || cnames))
      return `it answers all records that it has: no choice of ${cnames ? 1 : cut} of ${most}`;
  }
  return undefined;
}

function needsClient({ step }: PolicyStep): boolean {
  return step === 'GEO' || step === 'PROXIMITY' || step === 'LATENCY' || step === 'STICKY';
}
