// A responder without sockets: packets in, packets out, at the test's time.
import { ServerCookies } from '../../../../dns/answerer/query/server-cookies.ts';
import { type AnswerLimit, RateLimiter, usualLimit } from '../../../../dns/answerer/reply/rate-limiter.ts';
import { Responder } from '../../../../dns/answerer/reply/responder.ts';
import { Zones } from '../../../../dns/answerer/zone/zones.ts';
import { type GeoSource, noGeo } from '../../../../dns/policy/client.ts';
import type { ZonePlan } from '../../../../dns/policy/plan.ts';
import { type Answer, read } from './packets.ts';

const startMs = Date.UTC(2026, 10, 21);

export function responderOf(
  plan: ZonePlan,
  parts: { limit?: Partial<AnswerLimit>; geo?: GeoSource; draw?: () => number } = {},
) {
  const { limit: given = { answersPerSecond: 1e6, totalPerSecond: 1e6 }, geo = noGeo, draw = () => 0 } = parts;
  const limit = { ...usualLimit, ...given };
  const zones = new Zones();
  zones.put(plan);
  const clock = { nowMs: startMs, steadyMs: 1_000 };
  const responder = new Responder({
    ...{ zones, policies: { geo, draw }, cookies: new ServerCookies(Buffer.alloc(16, 7)) },
    ...{
      limiter: new RateLimiter(limit),
      amplification: limit.amplification,
      nsid: Buffer.from('ns-a'),
      age: () => 'age 1 s',
    },
    clocks: { wallMs: () => clock.nowMs, steadyMs: () => clock.steadyMs },
  });
  const ask = (packet: Buffer, { address = '198.51.100.9', udp = true } = {}) =>
    responder.answer(packet, { address, udp });
  return { zones, responder, clock, ask, answer: (packet: Buffer, udp = true): Answer => read(ask(packet, { udp })) };
}
