// Checks the limits of requests to a replica. A refused request has had no effect, which the error says.
import { NotSentError } from '../../../../platform/registers/errors.ts';
import type { Written } from '../../../../platform/registers/rules.ts';
import { isVersion, type Version } from '../../../../platform/registers/version.ts';
import type { ListRequest, ReplicaRequest, StoredValue } from './register.ts';

const mostNameBytes = 1_100;
const mostHeadBytes = 16 * 1024;
const mostBodyBytes = 1024 * 1024;
const mostListed = 1_000;
const mostRing = 0xffff;
const hex = /^[0-9a-f]{32}$/;

/** @throws NotSentError for a request that no replica can accept: nothing was done */
export function checkRequest(request: ReplicaRequest): void {
  const { key, epoch } = request;
  checkPlace(key.ring, key.scope, epoch);
  checkName('name', key.name);
  if (request.op === 'promise') checkVersion('the ballot', request.ballot);
  if (request.op === 'accept') checkWritten(request.written);
}

/** @throws NotSentError */
export function checkListRequest({ ring, scope, epoch, after, prefix, limit, sealed }: ListRequest): void {
  checkPlace(ring, scope, epoch);
  checkName('after', after);
  checkName('prefix', prefix);
  check(Number.isInteger(limit) && limit >= 1 && limit <= mostListed, `limit must be 1 to ${mostListed}`);
  check(sealed === undefined || hex.test(sealed), 'sealed must have 32 hexadecimal digits');
}

/** @throws NotSentError */
export function checkWritten({ version, value }: Written<StoredValue>): void {
  checkVersion('the version', version);
  if (value === undefined) return;
  check(Buffer.byteLength(value.head) <= mostHeadBytes, `a head has at most ${mostHeadBytes} bytes`);
  check((value.body?.length ?? 0) <= mostBodyBytes, `a body in a register has at most ${mostBodyBytes} bytes`);
}

function checkVersion(what: string, version: Version): void {
  check(hex.test(version), `${what} must have 32 hexadecimal digits`);
  check(isVersion(version), `${what} is later than any version that a clock makes`);
}

export function checkPlace(ring: number, scope: string, epoch: number): void {
  check(Number.isInteger(ring) && ring >= 0 && ring <= mostRing, `ring must be 0 to ${mostRing}`);
  check(hex.test(scope), 'the scope must have 32 hexadecimal digits');
  check(Number.isInteger(epoch) && epoch >= 1, 'epoch must be a whole number from 1');
}

export function checkName(what: string, name: string): void {
  check(name.isWellFormed() && Buffer.byteLength(name) <= mostNameBytes, `${what} has at most ${mostNameBytes} bytes`);
}

function check(holds: boolean, message: string): void {
  if (!holds) throw new NotSentError(message);
}
