// How late the parts of this host were in the last seconds, which tells a host that is slow from one that is gone.

import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import type { delaysValue } from '../keys.ts';

export type DelaysValue = z.output<typeof delaysValue>;
type Part = 'agent' | 'etcd' | 'commit';

const windowMs = 10_000;
const everyMs = 250;
/** Less than this explains nothing. */
const leastMs = 100;
const leastPercent = 20;
const resources = ['cpu', 'io', 'memory'] as const;

/** The longest time in the window. */
class Longest {
  /** A later sample is shorter than all before it: a longer one has replaced them. */
  #samples: { readonly atMs: number; readonly ms: number }[] = [];

  add(ms: number, atMs: number): void {
    this.#samples = [...this.#samples.filter((each) => each.ms > ms), { ms, atMs }];
  }

  at(nowMs: number): number {
    this.#samples = this.#samples.filter(({ atMs }) => nowMs - atMs < windowMs);
    return Math.round(this.#samples[0]?.ms ?? 0);
  }
}

export class Delays {
  readonly #nowMs: () => number;
  readonly #longest: Readonly<Record<Part, Longest>> = {
    ...{ agent: new Longest(), etcd: new Longest(), commit: new Longest() },
  };
  readonly #timer: NodeJS.Timeout;
  #dueAtMs: number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#dueAtMs = nowMs() + everyMs;
    this.#timer = setInterval(() => {
      this.took('agent', Math.max(0, nowMs() - this.#dueAtMs));
      this.#dueAtMs = nowMs() + everyMs;
    }, everyMs);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  took(part: Part, ms: number): void {
    this.#longest[part].add(ms, this.#nowMs());
  }

  /** Measures a call, also one that fails. */
  async timed<T>(part: Part, call: Promise<T>): Promise<T> {
    const sinceMs = this.#nowMs();
    try {
      return await call;
    } finally {
      this.took(part, this.#nowMs() - sinceMs);
    }
  }

  get current(): DelaysValue {
    const nowMs = this.#nowMs();
    const { agent, etcd, commit } = this.#longest;
    const pressure = pressureNow();
    return {
      ...{ agentMs: agent.at(nowMs), etcdMs: etcd.at(nowMs), commitMs: commit.at(nowMs) },
      ...(pressure && { pressure }),
    };
  }
}

/** For people. Undefined if nothing was slow. */
export function delaysText({ agentMs, etcdMs, commitMs, pressure }: DelaysValue): string | undefined {
  const ms = (value: number) => `${value.toLocaleString('en-US')} ms`;
  const share = (value = 0, what: string) =>
    value >= leastPercent ? [`${what} ${Math.round(value)} % of the time`] : [];
  const all = [
    ...(etcdMs >= leastMs ? [`etcd took ${ms(etcdMs)}`] : []),
    ...(commitMs >= leastMs ? [`a commit took ${ms(commitMs)}`] : []),
    ...(agentMs >= leastMs ? [`the agent was ${ms(agentMs)} late`] : []),
    ...share(pressure?.cpu, 'work waited for a processor'),
    ...share(pressure?.io, 'work waited for a disk'),
    ...share(pressure?.memory, 'work waited for memory'),
  ];
  return all.length === 0 ? undefined : all.join(', ');
}

/** Share of the last ten seconds in percent (Linux, Documentation/accounting/psi.rst). Undefined on a kernel without it. */
function pressureNow(): DelaysValue['pressure'] {
  try {
    const [cpu = 0, io = 0, memory = 0] = resources.map((each) => {
      const text = readFileSync(`/proc/pressure/${each}`, 'utf8');
      return Number(/^some avg10=([\d.]+)/m.exec(text)?.[1] ?? 0);
    });
    return { cpu, io, memory };
  } catch {
    return undefined;
  }
}
