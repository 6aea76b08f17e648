// NEAREST reads over HTTP: one header asks for them, another says how old the answer may be at most, also that of a refusal.
import type { GetOptions, NearestGot } from '../namespace/namespace.ts';
import { type Call, type Headers, header } from './call.ts';
import { S3Error } from './errors.ts';

const wishHeader = 'x-tidegate-read';
const ageHeader = 'x-tidegate-age-ms';

/** Throws S3Error. */
export function wantsNearest(call: Call): boolean {
  const wish = header(call, wishHeader);
  if (wish !== undefined && wish !== 'nearest')
    throw new S3Error('InvalidArgument', `The header ${wishHeader} has the value nearest, or is left out.`, {
      details: { ArgumentName: wishHeader },
    });
  return wish !== undefined;
}

/** For all but reads of one object: nobody takes another answer for what was asked. Throws S3Error. */
export function refuseNearest(call: Call): void {
  if (wantsNearest(call))
    throw new S3Error('InvalidRequest', `Only GET and HEAD of an object take the header ${wishHeader}.`);
}

export function getNearest(call: Call, options: GetOptions = {}): Promise<NearestGot> {
  const { ground, caller, target, response } = call;
  const told = (asOfMs: number | undefined) => void response.setHeader(ageHeader, ageText(asOfMs));
  return ground.namespace.getNearest(caller, target.bucket, target.key, { ...options, told });
}

/** As of when the answer begins. */
export function ageHeaderOf({ asOfMs }: Pick<NearestGot, 'asOfMs'>): Headers {
  return { [ageHeader]: ageText(asOfMs) };
}

/** Null: not known. */
export function ageMsOf({ asOfMs }: Pick<NearestGot, 'asOfMs'>): number | null {
  return asOfMs === undefined ? null : Math.max(0, Math.ceil(performance.now() - asOfMs));
}

function ageText(asOfMs: number | undefined): string {
  return String(ageMsOf({ asOfMs }) ?? 'unknown');
}
