// NEAREST reads over HTTP: one header requests them. Another gives the highest possible age of the answer, also for a refusal.
import type { GetOptions, NearestGot } from '../namespace/namespace.ts';
import { type Call, type Headers, header } from './call.ts';
import { S3Error } from './errors.ts';

const wishHeader = 'x-tidegate-read';
const ageHeader = 'x-tidegate-age-ms';

/** Throws S3Error. */
export function wantsNearest(call: Call): boolean {
  const wish = header(call, wishHeader);
  if (wish !== undefined && wish !== 'nearest')
    throw new S3Error('InvalidArgument', `The header ${wishHeader} has the value nearest, or is omitted.`, {
      details: { ArgumentName: wishHeader },
    });
  return wish !== undefined;
}

/** For every request but reads of one object: the client must not mistake a normal answer for a NEAREST one. Throws S3Error. */
export function refuseNearest(call: Call): void {
  if (wantsNearest(call))
    throw new S3Error('InvalidRequest', `Only GET and HEAD of an object take the header ${wishHeader}.`);
}

export function getNearest(call: Call, options: GetOptions = {}): Promise<NearestGot> {
  const { context, caller, s3Address, response } = call;
  const told = (asOfMs: number | undefined) => void response.setHeader(ageHeader, ageText(asOfMs));
  return context.namespace.getNearest(caller, s3Address.bucket, s3Address.key, { ...options, told });
}

/** The age at the time when the answer starts. */
export function ageHeaderOf({ asOfMs }: Pick<NearestGot, 'asOfMs'>): Headers {
  return { [ageHeader]: ageText(asOfMs) };
}

/** Null if unknown. */
export function ageMsOf({ asOfMs }: Pick<NearestGot, 'asOfMs'>): number | null {
  return asOfMs === undefined ? null : Math.max(0, Math.ceil(performance.now() - asOfMs));
}

function ageText(asOfMs: number | undefined): string {
  return String(ageMsOf({ asOfMs }) ?? 'unknown');
}
