// The failure of a command that got an answer which is not Tidegate's: the page of a proxy in front of it, or of another server.
import { CommandFailure, exitCodes } from './failures.ts';

const unreached = "can't reach it: try again later";
const ofProxies: ReadonlyMap<number, string> = new Map([
  [413, 'allows no request of this size: raise its limit (nginx: client_max_body_size), or send less at once'],
  [502, unreached],
  [503, unreached],
  [504, 'got no answer in time: raise its timeout to 200 s. The request may have been carried out'],
]);

/** `wanted`: what the answer should have been. */
export function otherAnswer(status: number, wanted: string): CommandFailure {
  const what = ofProxies.get(status);
  return new CommandFailure(
    what === undefined
      ? `the answer (HTTP ${status}) is not ${wanted}: check the address`
      : `a proxy in front of Tidegate ${what} (HTTP ${status})`,
    status === 413 ? exitCodes.failed : exitCodes.unreachable,
  );
}
