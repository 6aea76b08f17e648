// Checks whether a request was answered as wanted at some time between its start and its end.
import type { Names, Outcome, Pool, Route } from './expectations.ts';
import { clockOf, type Handshake, type Logged, saw } from './shared.ts';

export interface Fault {
  readonly figure: 'failed' | 'misrouted' | 'lockedOut';
  readonly what: string;
}

export function faultOf(logged: Logged, { name, outcome }: Route): Fault | undefined {
  const { fromMs, untilMs, saw: seen, what, cookieOf, address } = logged;
  const wanted = outcome.during(fromMs, untilMs);
  const isRight = wanted.some((each) => isMet(each, logged));
  if (isRight && !isAstray(wanted, logged)) return undefined;
  const held = cookieOf === undefined ? '' : ` with the cookie of member ${cookieOf}`;
  const words = `${name} at ${address}${held}: ${wordOf(seen)}${what === undefined ? '' : ` (${what})`}, not ${wanted.map(told).join(' or ')}, ${clockOf(fromMs)} (${fromMs.toFixed(0)}) to ${clockOf(untilMs)} (${untilMs.toFixed(0)}); wanted was ${outcome.told(told)}${wanted.map((each) => membersTold(each, seen)).join('')}`;
  const isFailure = seen === saw.closed || seen === saw.failed;
  if (wanted.every((each) => each === 'OFF')) return { figure: 'lockedOut', what: words };
  return { figure: isFailure ? 'failed' : 'misrouted', what: words };
}

function isMet(wanted: Outcome, { saw: seen, cookieOf, fromMs, untilMs }: Logged): boolean {
  switch (wanted) {
    case 'DENIED':
      return seen === saw.denied;
    case 'REDIRECTED':
      return seen === saw.redirected;
    case 'CLOSED':
    case 'OFF':
      return seen === saw.closed;
    default: {
      const serves = wanted.pool.members.get(seen)?.during(fromMs, untilMs) ?? [];
      return serves.some((each) => each === 'ALL' || each === 'SURE' || (each === 'ITS_OWN' && seen === cookieOf));
    }
  }
}

/** The client has the cookie of another member, and that member was healthy the whole time. */
function isAstray([wanted, ...others]: readonly Outcome[], { saw: seen, cookieOf, fromMs, untilMs }: Logged): boolean {
  if (cookieOf === undefined || seen === cookieOf || typeof wanted !== 'object' || others.length > 0) return false;
  const { sticky, members }: Pool = wanted.pool;
  const serves = members.get(cookieOf)?.during(fromMs, untilMs) ?? ['NOBODY'];
  return sticky.during(fromMs, untilMs).every(Boolean) && serves.every((each) => each === 'SURE');
}

/** A client got a certificate that does not belong to its name. */
export function handshakeFaultOf(
  { address, port, serverName, fromMs, untilMs, certificate }: Handshake,
  names: Names,
): Fault | undefined {
  const timeline = names.get(serverName);
  const wanted = timeline?.during(fromMs, untilMs) ?? [];
  if (wanted.includes(certificate)) return undefined;
  const word = (each: string) => each.slice(0, 12);
  const others = [...names].map(([name, { now }]) => `${name} ${word(now)}`).join(', ');
  const what = `for ${serverName} at ${address}:${port} the certificate ${word(certificate)}, not ${wanted.map(word).join(' or ')}, ${clockOf(fromMs)} (${fromMs.toFixed(0)}) to ${clockOf(untilMs)}; wanted was ${timeline?.told(word)}; now are ${others}`;
  return { figure: 'misrouted', what };
}

function told(outcome: Outcome): string {
  return typeof outcome === 'string' ? outcome : outcome.pool.name;
}

/** Describes the wanted state of the answering member, and of all members at that time. */
function membersTold(outcome: Outcome, seen: number): string {
  if (typeof outcome === 'string') return '';
  const { name, members } = outcome.pool;
  const others = [...members]
    .filter(([, timeline]) => timeline.now !== 'NOBODY')
    .map(([at, { now }]) => `${at} ${now}`);
  return `; in ${name} member ${seen} was ${members.get(seen)?.told(String) ?? 'never'}, now are ${others.join(', ')}`;
}

function wordOf(seen: number): string {
  const word = Object.entries(saw).find(([, value]) => value === seen)?.[0];
  return word ?? `member ${seen}`;
}
